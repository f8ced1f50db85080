"""The links that a crawl has met, so that it requests each once, however often a link is named."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from moodswarm.crawl.spec import KnownLink
from moodswarm.records.ledger import ledger_id


class Frontier:
    """The links of one run, in memory as 8-byte hashes.

    All spiders share one frontier, because the ledger has only one entry for each link, whichever
    source led to the link.

    Attributes:
        links: Path of a file that holds one `KnownLink` as JSON in each line.
        pages_per_source: The most links that are taken from one source.
        listed_sources: Ids of the sources that have a listing in addition to their own link.
    """

    def __init__(self, links: Path, pages_per_source: int) -> None:
        self.links = links
        self.pages_per_source = pages_per_source
        self.listed_sources: set[str] = set()
        self._met: set[int] = set()
        self._count: Counter[str] = Counter()
        # All lines are read before the first page is fetched. Otherwise a link that a listing
        # names could be requested, although a later line also requests it, or says it is done.
        for known in self.known():
            listing = known.role == "listing" and known.depth > 0
            self.add(known.source_id, known.url, listing=listing)

    def known(self) -> Iterator[KnownLink]:
        """Yield the known links from the file, reading it line by line."""
        with self.links.open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield KnownLink.model_validate_json(line)

    def full(self, source_id: str) -> bool:
        """Return whether the source has as many links as it may have."""
        return self._count[source_id] >= self.pages_per_source

    def met(self, url: str) -> bool:
        """Return whether the link is known.

        Raises:
            ValueError: if the link is not an absolute http or https address.
        """
        return link_hash(url) in self._met

    def add(self, source_id: str, url: str, *, listing: bool = False) -> bool:
        """Add a link; return False if it was met before.

        Raises:
            ValueError: if the link is not an absolute http or https address.
        """
        if listing:
            self.listed_sources.add(source_id)
        key = link_hash(url)
        if key in self._met:
            return False
        self._met.add(key)
        self._count[source_id] += 1
        return True


def link_hash(url: str) -> int:
    """Return an 8-byte number that stands for a link, the same for every spelling of the link.

    Among a million links, the probability that two share a hash is 3 in 100 million.

    Raises:
        ValueError: if the link is not an absolute http or https address.
    """
    return int.from_bytes(hashlib.blake2b(ledger_id(url).encode(), digest_size=8).digest())
