"""Which hosts belong to a source, and which canonical links are believed."""

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

from moodswarm.crawl.spec import Platform, Source
from moodswarm.records.links import canonical_link

# An author's stories may stand with a publication there, and repositories are listed by an API.
_FAMILIES: dict[Platform, str] = {"medium": "medium.com", "github": "github.com"}


class SourceHosts:
    """The hosts of each source: its own, those the user named, and where it redirects to."""

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
        """Take the host that a source's own link redirects to as the source's host."""
        self._hosts[source.id].add(bare_host(url))

    def allows(self, source: Source, url: str, asked: str | None = None) -> bool:
        """Whether a page belongs to a source.

        Args:
            source: The source that led to it.
            url: The address of the page.
            asked: The link that redirected to it; it was allowed once, so its host is.
        """
        host = bare_host(url)
        family = _FAMILIES.get(source.platform)
        return bool(host) and (
            host in self._hosts[source.id]
            or (asked is not None and host == bare_host(asked))
            or (family is not None and (host == family or host.endswith(f".{family}")))
        )

    def document_link(self, source: Source, final: str, canonical: str | None) -> str:
        """Return the link of a page, not yet canonical: its own word where that is believed.

        A page may only name its own host, one that the user trusts, or another of its author's.
        The front page is not believed to be the canonical form of a page within: with that
        mistake, which is common, every page would become the same document.
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
        return (
            canonical  # as it is spelled: the next crawl asks there, and http may be all there is
        )


def bare_host(url: str) -> str:
    """Return the host and port of an address in canonical form, without `www.`; empty if none."""
    try:
        return urlsplit(canonical_link(url)).netloc.removeprefix("www.")
    except ValueError:
        return ""


def is_root(url: str) -> bool:
    """Whether an address is that of a site's front page."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query
