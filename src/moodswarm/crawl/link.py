"""A link as spiders pass it on, and the events that report the link.

The items that spiders yield are themselves the events of `moodswarm.crawl.events`: they are typed
and validated, and reach the parent process unchanged.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from moodswarm.crawl.events import LinkFound, Outcome, Visited
from moodswarm.crawl.spec import KnownLink, Source
from moodswarm.records.ledger import AskedRole

_DETAIL = 500  # characters; a limit is needed, because sites write some of the text


@dataclass(frozen=True, slots=True)
class Link:
    """A link to request; its request carries it in `cb_kwargs`.

    The attributes are those of `LinkFound` and `KnownLink`; `etag` and `last_modified` make the
    request conditional.
    """

    source: Source
    url: str
    role: AskedRole
    depth: int
    found_on: str | None = None
    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def known(cls, source: Source, known: KnownLink) -> "Link":
        """Return a link that an earlier run found."""
        return cls(
            source,
            known.url,
            known.role,
            known.depth,
            known.found_on,
            known.etag,
            known.last_modified,
        )

    @property
    def configured(self) -> bool:
        """Tell whether this is the link of the source itself, as the user configured it."""
        return self.depth == 0

    def child(self, url: str, role: AskedRole = "page") -> "Link":
        """Return a link that the page or listing at this link names."""
        return Link(self.source, url, role, self.depth + 1, self.url)

    def next_page(self, url: str) -> "Link":
        """Return the next page of this listing, at the same depth."""
        return Link(self.source, url, self.role, max(1, self.depth), self.url)

    def unconditional(self) -> "Link":
        """Return the link without the validators (`etag`, `last_modified`) of an earlier visit."""
        return replace(self, etag=None, last_modified=None)

    def found(self) -> LinkFound:
        """Return the event that records the link before it is requested."""
        return LinkFound(
            source_id=self.source.id,
            url=self.url,
            role=self.role,
            depth=self.depth,
            found_on=self.found_on or self.source.link,
        )

    def visited(
        self,
        outcome: Outcome,
        reason: str | None = None,
        detail: str | None = None,
        **fields: Any,
    ) -> Visited:
        """Return the event that ends the visit; `fields` are other fields of `Visited`."""
        known = {
            "source_id": self.source.id,
            "url": self.url,
            "role": self.role,
            "depth": self.depth,
            "found_on": self.found_on,
            "visited_at": datetime.now(UTC),
        }
        detail = detail and " ".join(detail.split())[:_DETAIL]
        return Visited(**{**known, **fields}, outcome=outcome, reason=reason, detail=detail)
