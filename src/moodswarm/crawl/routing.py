"""Chooses the spider for a link by its parsed host, or by a path that ends in `.git`.

A new platform needs one spider file, one line in `_PLATFORMS`, and a golden page.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from moodswarm.crawl.spec import Platform
from moodswarm.records.author import Author
from moodswarm.records.ids import NAMESPACE
from moodswarm.records.ledger import AskedRole
from moodswarm.records.links import DEFAULT_PORTS, canonical_link

Segments = tuple[str, ...]

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")
_HEX_ID = re.compile(r"(.+-)?[0-9a-f]{8,14}")
_FEED = re.compile(r"(feed|rss|atom|index)(\.(xml|rss|atom|rdf))|feed|rss|atom|.+\.(rss|atom|rdf)")
_SITEMAP = re.compile(r"(.*[_-])?sitemap([_-].*)?\.xml(\.gz)?")


class InvalidLink(ValueError):
    """The link cannot be crawled; the message names the link and says what is wrong with it."""


class ExportOnly(ValueError):
    """The site forbids automated access; the message explains how to import an archive instead."""


@dataclass(frozen=True, slots=True)
class Route:
    """The spider that a link goes to.

    Attributes:
        platform: Name of the spider.
        discover: Whether the link leads to more pages; if not, the link itself is the only page.
    """

    platform: Platform
    discover: bool

    @property
    def role(self) -> AskedRole:
        """The role of the link itself in the ledger."""
        if self.discover:
            return "listing"
        return "repository" if self.platform in ("github", "git") else "page"


def route(link: str) -> Route:
    """Choose the spider for a link.

    Raises:
        InvalidLink: if the link is not an absolute http or https address, contains a user name, or
            does not name an author, such as https://github.com.
        ExportOnly: if the link leads to LinkedIn or X.
    """
    host, path = _parse(link)
    segments = tuple(part for part in path.split("/") if part)
    if path.rstrip("/").endswith(".git"):
        return Route("git", discover=False)
    for pattern, choose in _PLATFORMS:
        if pattern.fullmatch(host):
            chosen = choose(segments)
            if chosen is None:
                raise InvalidLink(
                    f"link {link!r} does not name an author, publication or repository"
                )
            return chosen
    return _web(segments)


def source_id(author_full_name: str, link: str) -> str:
    """Return the id of an author's configured link, which is the same in every run.

    Raises:
        ValueError: if `author_full_name` is not a full name, or `link` is not a valid link.
    """
    author = Author.from_full_name(author_full_name)
    return str(uuid.uuid5(NAMESPACE, f"source:{author.id}:{canonical_link(link)}"))


def _parse(link: str) -> tuple[str, str]:
    """Return the host (in ASCII, with its port unless that is the default) and the path."""
    try:
        parts = urlsplit(link.strip())
        port = parts.port
        name = (parts.hostname or "").rstrip(".").lower()
        host = name if ":" in name else name.encode("idna").decode("ascii")
    except ValueError as error:
        raise InvalidLink(f"link {_shown(link)} is not a valid address: {error}") from error
    if parts.scheme not in DEFAULT_PORTS or not _HOST.fullmatch(host):
        raise InvalidLink(
            f"link {_shown(link)} is not an absolute http or https address, "
            "such as https://example.org/article"
        )
    if "@" in parts.netloc:
        raise InvalidLink(f"link {_shown(link)} holds a user name; leave it out")
    return (host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"), parts.path


def _shown(link: str) -> str:
    """Return the link as messages show it, without a user name and password."""
    return repr(link.rpartition("@")[2])


def _github(path: Segments) -> Route | None:
    if path[:1] in (("orgs",), ("users",)):
        path = path[1:]
    return Route("github", discover=len(path) == 1) if path else None


def _gist(path: Segments) -> Route | None:
    """Return the route of a gist, which is a git repository; a list of a user's gists has none."""
    return Route("git", discover=False) if len(path) > 1 else None


def _medium(path: Segments) -> Route | None:
    """Return the route on medium.com, where the path begins with the author or publication."""
    if not path or path == ("p",):
        return None
    return Route("medium", discover=len(path) == 1 or not _HEX_ID.fullmatch(path[-1]))


def _medium_subdomain(path: Segments) -> Route:
    return Route("medium", discover=not path or not _HEX_ID.fullmatch(path[-1]))


_WHOLE_SUBSTACK = (("archive",), ("feed",), ("sitemap.xml",))


def _substack(path: Segments) -> Route:
    return Route("substack", discover=not path or path in _WHOLE_SUBSTACK)


def _substack_reader(path: Segments) -> Route | None:
    """Return the route of a post that is addressed through Substack's reader.

    open.substack.com/pub/<publication>/p/<slug> redirects to the publication's own address.
    """
    return Route("substack", discover=False) if path[2:3] == ("p",) else None


def _web(path: Segments) -> Route:
    last = path[-1].lower() if path else ""
    listing = not path or _FEED.fullmatch(last) or _SITEMAP.fullmatch(last)
    return Route("web", discover=bool(listing))


def _export_only(site: str, name: str) -> Callable[[Segments], Route]:
    def refuse(_: Segments) -> Route:
        raise ExportOnly(
            f"{name} forbids automated access. Ask {name} for an archive of your data, then run: "
            f"moodswarm import --from {site} archive.zip"
        )

    return refuse


_PLATFORMS: tuple[tuple[re.Pattern[str], Callable[[Segments], Route | None]], ...] = (
    (re.compile(r"(www\.)?github\.com"), _github),
    (re.compile(r"gist\.github\.com"), _gist),
    (re.compile(r"(www\.)?medium\.com"), _medium),
    (re.compile(r"[a-z0-9-]+\.medium\.com"), _medium_subdomain),
    (re.compile(r"(www\.|open\.)?substack\.com"), _substack_reader),
    (re.compile(r"[a-z0-9-]+\.substack\.com"), _substack),
    (re.compile(r"(.+\.)?linkedin\.com"), _export_only("linkedin", "LinkedIn")),
    (re.compile(r"(.+\.)?(x|twitter)\.com"), _export_only("x", "X")),
)
