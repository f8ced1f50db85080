"""The links of a page, for spiders that look for articles. No article is extracted here."""

import re
from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml.html import HtmlElement

from moodswarm.extraction.decoding import NotHtml, decode_page
from moodswarm.extraction.metadata import find_canonical
from moodswarm.extraction.tree import TooDeep, elements, parse_page
from moodswarm.extraction.verdicts import refuse_costly

_FEEDS = {
    "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml",
    "application/json+feed",
}  # fmt: skip
_SUBSTACK = re.compile(r"window\._preloads\b|substackcdn\.com")
_MEDIUM = re.compile(r"__APOLLO_STATE__|cdn-client\.medium\.com|<meta[^>]+com\.medium\.reader")
_MAX_LINKS = 10_000
_MAX_BYTES = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLinks:
    """The addresses that a page leads to: absolute, without fragments, each once, in order.

    Attributes:
        feeds: RSS, Atom and JSON feeds that the page names, on any host.
        links: Pages on the same host.
        next: The next page of a listing (`rel=next`), on the same host.
        platform: `substack` or `medium` if the page is from that platform, else `web`.
        canonical: The address that the page calls its own.
    """

    feeds: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    next: str | None = None
    platform: str = "web"
    canonical: str | None = None


def discover_links(body: bytes, url: str) -> PageLinks:
    """Read the links of a page; bytes that are not a page have none."""
    if len(body) > _MAX_BYTES:
        return PageLinks()
    try:
        text = decode_page(body, None)
        root = None if refuse_costly(text) else parse_page(text)
    except (NotHtml, TooDeep):
        return PageLinks()
    if root is None:
        return PageLinks()
    base = base_address(root, url)
    here = urldefrag(url)[0]
    links = [a for e in elements(root, "a", "area") if (a := _same_site(e, base, url))]
    following = (
        address
        for e in elements(root, "link", "a")
        if "next" in (e.get("rel") or "").lower().split() and (address := _same_site(e, base, url))
    )
    return PageLinks(
        feeds=_unique(_feeds(root, base)),
        links=tuple(link for link in _unique(links) if link != here)[:_MAX_LINKS],
        next=next(following, None),
        platform=_platform(text),
        canonical=find_canonical(root, url),
    )


def base_address(root: HtmlElement, url: str) -> str:
    """Return the address that relative links refer to: the page's `base`, or its own address."""
    for base in elements(root, "base"):
        if base.get("href"):
            address = resolve(url, base.get("href") or "")
            return address or url
    return url


def resolve(base: str, address: str) -> str | None:
    """Return an absolute web address without its fragment; None for any other kind of link."""
    try:
        joined = urldefrag(urljoin(base, address.strip()))[0]
        parts = urlsplit(joined)
        _ = parts.port  # raises ValueError if the port is not a number
    except ValueError:
        return None
    return joined if parts.scheme in ("http", "https") and parts.hostname else None


def _same_site(element: HtmlElement, base: str, url: str) -> str | None:
    address = resolve(base, element.get("href") or "") if element.get("href") else None
    if address is None or urlsplit(address).hostname != urlsplit(url).hostname:
        return None
    return address


def _feeds(root: HtmlElement, base: str) -> list[str]:
    found = []
    for link in elements(root, "link", "a"):
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        if "alternate" in (link.get("rel") or "").lower().split() and kind in _FEEDS:
            address = resolve(base, link.get("href") or "")
            if address:
                found.append(address)
    return found


def _unique(addresses: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))


def _platform(text: str) -> str:
    if _SUBSTACK.search(text):
        return "substack"
    return "medium" if _MEDIUM.search(text) else "web"
