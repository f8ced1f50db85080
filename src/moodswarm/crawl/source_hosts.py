"""The hosts that belong to a source, and the canonical links that are trusted."""

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

from moodswarm.crawl.spec import Platform, Source
from moodswarm.records.links import canonical_link

# On these platforms, every subdomain counts as a host of the source: on Medium, an author's stories
# may appear under a publication, and GitHub's API, which lists repositories, has its own host.
_FAMILIES: dict[Platform, str] = {"medium": "medium.com", "github": "github.com"}


class SourceHosts:
    """The hosts of each source: its own, those that the user named, and those it redirects to."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._hosts: dict[str, set[str]] = {}
        self._authors: defaultdict[str, set[str]] = defaultdict(set)
        for source in sources:
            named = {bare_host(f"https://{host}") for host in source.canonical_hosts}
            self._hosts[source.id] = {bare_host(source.link), *named}
            of_author = self._authors[source.author_full_name.casefold()]
            of_author |= {bare_host(f"https://{host}") for host in source.author_hosts}
            of_author.add(bare_host(source.link))

    def admit(self, source: Source, url: str) -> None:
        """Add the host to which the source's own link redirects."""
        self._hosts[source.id].add(bare_host(url))

    def allows(self, source: Source, url: str, asked: str | None = None) -> bool:
        """Return whether a page belongs to a source.

        Args:
            source: The source that led to the page.
            url: The address of the page.
            asked: The link that led to the page; as the link was allowed, so is its host.
        """
        host = bare_host(url)
        family = _FAMILIES.get(source.platform)
        return bool(host) and (
            host in self._hosts[source.id]
            or (asked is not None and host == bare_host(asked))
            or (family is not None and (host == family or host.endswith(f".{family}")))
        )

    def document_link(self, source: Source, final: str, canonical: str | None) -> str:
        """Return the canonical link that a page names if it is trusted, otherwise `final`.

        The link is trusted if its host is the page's own host, one that the user trusts, or another
        host of the author. However, a page that names the front page as its canonical link is not
        trusted: with that common mistake, every page would become the same document.
        """
        if not canonical:
            return final
        host = bare_host(canonical)
        trusted = {
            bare_host(final),
            *self._hosts[source.id],
            *self._authors[source.author_full_name.casefold()],
        }
        if host not in trusted or (is_root(canonical) and not is_root(final)):
            return final
        try:
            canonical_link(canonical)
        except ValueError:
            return final
        # The link is returned as the page spells it, because the next crawl will request exactly
        # this address, and the site may have no https.
        return canonical


def bare_host(url: str) -> str:
    """Return an address's host and port without `www.`; an empty string if it is not valid."""
    try:
        return urlsplit(canonical_link(url)).netloc.removeprefix("www.")
    except ValueError:
        return ""


def is_root(url: str) -> bool:
    """Return whether an address is that of a site's front page."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query
