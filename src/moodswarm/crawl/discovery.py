"""Reads links and texts from listings: feeds, sitemaps, platform APIs, and front pages of sites.

The functions here turn the bytes of a response into values. Feeds, sitemaps and front pages are
read in a process that can be killed, because reading a feed of a few megabytes takes seconds, and
a hostile feed takes longer.
"""

import io
import json
import re
import zlib
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import islice
from typing import Any, Literal, cast
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from moodswarm.crawl.spec import Platform

Kind = Literal["feed", "sitemap", "page", "unknown"]

_GZIP = b"\x1f\x8b"
_SNIFFED = 4_096  # bytes at the start of a body that show what kind of file it is
# The first element decides what kind of file it is; only a prolog and comments may come before it.
# Later elements prove nothing: the text inside a JSON feed contains elements of all kinds.
_FIRST = (
    rb"(?:\xef\xbb\xbf)?\s*+"
    rb"(?:<\?[^>]*+>\s*+|<!--(?:(?!-->).)*+-->\s*+|<!doctype\s[^>]*+>\s*+)*+"
)
_FEED = re.compile(_FIRST + rb"<(rss|feed|(\w+:)?rdf)[\s>]", re.IGNORECASE | re.DOTALL)
_SITEMAP = re.compile(_FIRST + rb"<(\w+:)?(urlset|sitemapindex)[\s>]", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|meta|title)\b", re.IGNORECASE)
_JSON_FEED = b"jsonfeed.org"
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_MARK = b"\xef\xbb\xbf"
_MOST_FEEDS = 5
_MOST_ENTRIES = 50_000  # the most that the sitemap protocol allows in one file
ARCHIVE_PATH = "/api/v1/archive"  # the list of posts of a Substack publication
_ARCHIVE_PAGE = 25  # posts; the most that Substack returns in one response


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that a listing names; an entry of a feed may also carry the page's text."""

    url: str
    title: str | None = None
    published_at: datetime | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The links that a listing names.

    Attributes:
        kind: `page` for HTML, `unknown` for anything that is not a listing.
        entries: The pages that the listing names; for HTML, all links to the page's own host.
        listings: Listings one level down: the sitemaps in a sitemap index, or the feeds that an
            HTML page names.
        more: The address of the next page of this listing, if there is one.
        platform: The platform that an HTML page turns out to use, although it has a domain of its
            own.
    """

    kind: Kind
    entries: tuple[Entry, ...] = ()
    listings: tuple[str, ...] = ()
    more: str | None = None
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class Hosted:
    """A repository as GitHub's API describes it."""

    url: str
    fork: bool = False
    archived: bool = False


class BadListing(ValueError):
    """A listing is broken, or not what its address promised; the message says what is wrong."""


def read_listing(body: bytes, url: str, max_bytes: int) -> Listing:
    """Read a feed, a sitemap, or the root page of a site.

    Args:
        body: The bytes of the response, which may be a gzip file.
        url: The address after redirects, which relative links are resolved against.
        max_bytes: A gzip file that is longer than this when unpacked is refused.

    Raises:
        BadListing: if the body is broken, or too long when unpacked.
    """
    body = _unpacked(body, max_bytes)
    start = body[:_SNIFFED]
    if _SITEMAP.match(start):
        return _sitemap(body, url)
    if _FEED.match(start):
        return _feed(body, url)
    if _is_json_feed(body):
        return _json_feed(body, url)
    if _MARKUP.match(start) and _HTML.search(start):
        return _root(body, url)
    return Listing("unknown")


def is_listing(body: bytes) -> bool:
    """Return whether a body is a feed or a sitemap, whatever its address promised."""
    start = body[:_SNIFFED]
    return bool(_SITEMAP.match(start) or _FEED.match(start)) or _is_json_feed(body)


def entry_text(entry: Entry) -> str:
    """Return the text of a feed entry, converted to markdown in the same way as a page.

    Raises:
        ValueError: if the HTML of the entry is nested too deeply to be converted.
    """
    from moodswarm.extraction import html_to_markdown, with_title

    text = html_to_markdown(entry.content or "", entry.url)
    return with_title(entry.title, text) if text.strip() else ""


def read_archive(body: bytes, url: str) -> Listing:
    """Read one page of a Substack publication's archive, `/api/v1/archive`.

    Raises:
        BadListing: if the body is not a JSON list of posts.
    """
    posts = _json_list(body)
    entries = [
        Entry(urljoin(url, post.get("canonical_url") or f"/p/{post['slug']}"))
        for post in posts
        if isinstance(post.get("slug"), str)
    ]
    offset = int(parse_qs(urlsplit(url).query).get("offset", ["0"])[0])
    more = archive_address(url, offset + len(posts)) if posts else None
    return Listing("feed", tuple(entries), more=more)


def archive_address(url: str, offset: int = 0) -> str:
    """Return the address of one page of a Substack publication's archive."""
    query = urlencode({"sort": "new", "offset": offset, "limit": _ARCHIVE_PAGE})
    return urljoin(url, f"{ARCHIVE_PATH}?{query}")


def medium_feed(url: str) -> str:
    """Return the address of the feed of a Medium author or publication."""
    path = urlsplit(url).path.rstrip("/")
    return url if f"{path}/".startswith("/feed/") else urljoin(url, f"/feed{path}")


def read_repositories(body: bytes) -> tuple[Hosted, ...]:
    """Read one page of GitHub's `/users/{user}/repos`.

    Raises:
        BadListing: if the body is not a JSON list of repositories.
    """
    return tuple(
        Hosted(item["html_url"], item.get("fork") is True, item.get("archived") is True)
        for item in _json_list(body)
        if isinstance(item.get("html_url"), str)
    )


def next_link(header: str | None) -> str | None:
    """Return the address that a `Link` header marks with `rel="next"`, or None."""
    for part in (header or "").split(","):
        address, _, parameters = part.partition(";")
        if re.search(r'\brel="?next"?(\s|;|$)', parameters):
            return address.strip().strip("<>")
    return None


def _unpacked(body: bytes, max_bytes: int) -> bytes:
    if not body.startswith(_GZIP):
        return body
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise BadListing(f"a broken gzip file: {error}") from error
    if len(text) > max_bytes:
        raise BadListing(f"over limits.page_bytes ({max_bytes}) when unpacked")
    return text


def _sitemap(body: bytes, url: str) -> Listing:
    from lxml.etree import XMLSyntaxError
    from scrapy.utils.sitemap import Sitemap

    try:
        sitemap = Sitemap(body)
        found = [
            urljoin(url, item["loc"]) for item in islice(sitemap, _MOST_ENTRIES) if item.get("loc")
        ]
    except (XMLSyntaxError, StopIteration, ValueError) as error:
        raise BadListing(f"a broken sitemap: {error}") from error
    if sitemap.type == "sitemapindex":
        return Listing("sitemap", listings=tuple(found))
    return Listing("sitemap", tuple(map(Entry, found)))


def _feed(body: bytes, url: str) -> Listing:
    import feedparser  # type: ignore[import-untyped]

    # If feedparser got the bytes themselves, and these happened to be the name of a file, it would
    # open that file. It therefore gets a file object. The HTML is never shown, so it does not need
    # to be sanitised.
    parsed = feedparser.parse(
        io.BytesIO(body), response_headers={"content-location": url}, sanitize_html=False
    )
    if parsed.bozo and not parsed.entries:
        raise BadListing(f"a broken feed: {parsed.bozo_exception}")
    links = parsed.feed.get("links", [])
    more = next((link.get("href") for link in links if link.get("rel") == "next"), None)
    return Listing("feed", tuple(_entries(parsed.entries, url)), more=more)


def _is_json_feed(body: bytes) -> bool:
    """Return whether a body is a JSON feed; its version may come before or after its items."""
    if not body[:_SNIFFED].removeprefix(_MARK).lstrip().startswith(b"{") or _JSON_FEED not in body:
        return False
    try:
        feed = json.loads(body.removeprefix(_MARK))
    except (ValueError, RecursionError):
        return False
    return isinstance(feed, dict) and "jsonfeed.org/version/" in str(feed.get("version"))


def _json_feed(body: bytes, url: str) -> Listing:
    feed = json.loads(body.removeprefix(_MARK))
    items = feed.get("items")
    entries = [
        entry
        for item in (items if isinstance(items, list) else [])[:_MOST_ENTRIES]
        if isinstance(item, dict) and (entry := _json_entry(item, url))
    ]
    more = feed.get("next_url")
    return Listing(
        "feed", tuple(entries), more=urljoin(url, more) if more and isinstance(more, str) else None
    )


def _json_entry(item: dict[str, Any], url: str) -> Entry | None:
    # In many feeds the id is the address of the page; in others it is a number.
    named, identity = item.get("url"), item.get("id")
    if not isinstance(named, str) or not named.strip():
        named = identity if isinstance(identity, str) and _ADDRESS.match(identity) else ""
    try:
        address = urljoin(url, named.strip())
    except ValueError:
        return None
    if not named or not _ADDRESS.match(address):
        return None
    title, text, plain = (item.get(name) for name in ("title", "content_html", "content_text"))
    if not (isinstance(text, str) and text) and isinstance(plain, str):
        text = "".join(f"<p>{escape(part)}</p>" for part in plain.split("\n\n") if part.strip())
    return Entry(
        address,
        (title.strip() or None) if isinstance(title, str) else None,
        _json_time(item.get("date_published") or item.get("date_modified")),
        text if isinstance(text, str) and text and not _CUT.search(text[-_TAIL:]) else None,
    )


def _json_time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
    return found and (found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))


def _entries(items: list[Any], url: str) -> Iterator[Entry]:
    for item in items:
        # If `link` is an address that counts clicks, `feedburner_origlink` is the page's address.
        link = item.get("feedburner_origlink") or item.get("link")
        if not isinstance(link, str) or not link.strip():
            continue
        published = item.get("published_parsed") or item.get("updated_parsed")
        yield Entry(
            _FROM_FEED.sub("", urljoin(url, link.strip())),
            item.get("title") or None,
            datetime.fromtimestamp(timegm(published), UTC) if published else None,
            _content(item),
        )


# Medium's feeds add this to each link, to show that a reader came from the feed.
_FROM_FEED = re.compile(r"\?source=rss-[^&#]*$")


def _content(item: Any) -> str | None:
    """Return an entry's HTML, or None if it is only a summary or the beginning of the text."""
    texts = [part.get("value") or "" for part in item.get("content", [])]
    text = max(texts, key=len, default="")
    return text if text and not _CUT.search(text[-_TAIL:]) else None


_TAIL = 600
_CUT = re.compile(
    r"(read more|continue reading|keep reading|read the (full|rest)|subscribe to (read|continue))"
    r"|(\[\s*(&hellip;|&#8230;|…|\.\.\.)\s*\]|…|&hellip;)\s*(</\w+>\s*)*$",
    re.IGNORECASE,
)


def _root(body: bytes, url: str) -> Listing:
    from moodswarm.extraction import discover_links

    page = discover_links(body, url)
    # Feeds of comments are left out, because they contain other people's writing.
    feeds = [feed for feed in page.feeds if "comments" not in feed.lower()]
    platform = page.platform if page.platform != "web" else None
    return Listing(
        "page",
        tuple(map(Entry, page.links)),
        tuple(feeds[:_MOST_FEEDS]),
        platform=cast("Platform | None", platform),
    )


def _json_list(body: bytes) -> list[dict[str, Any]]:
    try:
        items = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadListing(f"not JSON: {error}") from error
    if not isinstance(items, list):
        raise BadListing(f"expected a JSON list, found {type(items).__name__}")
    return [item for item in items if isinstance(item, dict)]
