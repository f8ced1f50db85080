"""Embedded gists, videos and posts: what a page loads from elsewhere is replaced with a link."""

import re
from urllib.parse import parse_qs, urljoin, urlsplit

from lxml import html
from lxml.html import HtmlElement

from moodswarm.extraction.tree import elements

_TAGS = (
    "script", "iframe", "object", "embed", "video", "audio", "lite-youtube", "amp-youtube",
    "lite-vimeo", "amp-vimeo", "amp-twitter",
)  # fmt: skip
_BY_ID = {
    "lite-youtube": "https://www.youtube.com/watch?v=", "amp-youtube": "https://www.youtube.com/watch?v=",
    "lite-vimeo": "https://vimeo.com/", "amp-vimeo": "https://vimeo.com/",
    "amp-twitter": "https://twitter.com/i/status/",
}  # fmt: skip
_ID = ("videoid", "data-videoid", "data-tweetid")
_SOURCES = (
    "src",
    "data-src",
    "data-lazy-src",
    "data-litespeed-src",
    "data-cookieblock-src",
    "data",
)
#: Patterns of addresses that frames and scripts load, each with the page that a reader can open.
_PAGES = (
    (r"gist\.github\.com/([\w-]+/)?([0-9a-f]+)(?:\.js|\.pibb)?.*", r"gist.github.com/\1\2"),
    (r"(gitlab\.[\w.]+/.*snippets/\d+)\.js.*", r"\1"),
    (r"(asciinema\.org/a/\w+?)(?:\.js|/iframe|/embed)?(?:\?.*)?", r"\1"),
    (r"(?:www\.)?youtube(?:-nocookie)?\.com/embed/videoseries\?.*?list=([\w-]+).*",
     r"www.youtube.com/playlist?list=\1"),
    (r"(?:www\.)?youtube(?:-nocookie)?\.com/(?:embed|v)/([\w-]+).*", r"www.youtube.com/watch?v=\1"),
    (r"player\.vimeo\.com/video/(\d+).*", r"vimeo.com/\1"),
    (r"(?:www\.)?dailymotion\.com/embed/video/(\w+).*", r"www.dailymotion.com/video/\1"),
    (r"codepen\.io/([\w-]+)/embed/(?:preview/)?(\w+).*", r"codepen.io/\1/pen/\2"),
    (r"open\.spotify\.com/embed(?:-podcast)?/([\w/]+).*", r"open.spotify.com/\1"),
    (r"platform\.twitter\.com/embed/.*[?&]id=(\d+).*", r"twitter.com/i/status/\1"),
    (r"(?:www\.)?instagram\.com/((?:p|reel)/[\w-]+).*", r"www.instagram.com/\1/"),
    (r"([\w.-]+/@[\w.@-]+/\d+)/embed.*", r"\1"),  # Mastodon, on any host
    (r"(.*)", r"\1"),
)  # fmt: skip
# Hosts of frames that an author chose to show; other frames may be advertisements or comments.
_HOSTS = re.compile(
    r"(?:[\w-]+\.)*(?:youtube|youtube-nocookie|vimeo|dailymotion|twitch|ted|loom|wistia|spotify"
    r"|soundcloud|bandcamp|twitter|instagram|tiktok|codepen|jsfiddle|observablehq|speakerdeck"
    r"|slideshare|medium|figma|airtable|streamable|giphy|sketchfab|desmos|geogebra|kaggle"
    r"|tradingview)\.(?:com|net|org|io|tv)"
    r"|gist\.github\.com|asciinema\.org|archive\.org|codesandbox\.io|stackblitz\.com|repl\.it"
    r"|replit\.com|glitch\.(?:com|me)|(?:docs|drive|maps)\.google\.com|datawrapper\.dwcdn\.net"
    r"|flo\.uri\.sh|(?:www\.)?openstreetmap\.org|podcasts\.apple\.com|embed\.podcasts\.apple\.com"
    r"|embed\.bsky\.app|player\.bilibili\.com|[\w-]+\.hf\.space|nbviewer\.org|jsbin\.com"
)
_ON_SITE = re.compile(r"www\.google\.[a-z.]+/maps/.*|[\w.-]+/@[\w.@-]+/\d+/embed.*")
_SCRIPTS = re.compile(
    r"(?:https?:)?//(?:gist\.github\.com/.*\.js|gitlab\.[\w.]+/.*snippets/\d+\.js"
    r"|asciinema\.org/a/\w+\.js|emgithub\.com/embed.*)(?:\?.*)?"
)
_MEDIA = re.compile(r".*\.(?:pdf|mp4|m4v|webm|ogv|mov|mp3|m4a|ogg|wav|flac)", re.I)
#: The parameters in which some players name their page.
_PARAMETERS = ("target", "href", "url")
_INLINE = ("p", "span", "em", "strong", "b", "i", "u", "font", "small", "li", "td", "th", "dd")


def keep_embeds(root: HtmlElement, base_url: str) -> None:
    """Put a link in place of each embedded gist, video, player or post."""
    for element in list(elements(root, *_TAGS)):
        parent = element.getparent()
        if parent is None or next(element.iterancestors("a", "pre", "object"), None) is not None:
            continue
        if address := _page_of(element, base_url):
            link = html.Element("a", {"href": address})
            link.text = address
            shown = link
            if parent.tag not in _INLINE:
                shown = html.Element("p")
                shown.append(link)
            shown.tail = element.tail
            parent.replace(element, shown)


def embedded_page(address: str) -> str:
    """Return the page that a reader can open for the address that a frame or script loads."""
    scheme, _, rest = address.partition("://")
    parts = urlsplit(address)
    for name in _PARAMETERS if _names_its_page(parts.hostname or "") else ():
        if (named := parse_qs(parts.query).get(name, [""])[0]).startswith(("http://", "https://")):
            return named
    for pattern, page in _PAGES:
        if match := re.fullmatch(pattern, rest, re.DOTALL):
            return f"{scheme}://{match.expand(page)}"
    return address


def _names_its_page(host: str) -> bool:
    return host in ("emgithub.com", "w.soundcloud.com", "www.facebook.com")


def _page_of(element: HtmlElement, base_url: str) -> str | None:
    if base := _BY_ID.get(element.tag):
        name = next((v for n in _ID if (v := element.get(n))), "")
        return base + name if re.fullmatch(r"[\w-]+", name) else None
    source = _source(element)
    if not source or (element.tag == "script" and not _SCRIPTS.fullmatch(source)):
        return None
    try:
        address = urljoin(base_url, source)
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    page = embedded_page(address)
    known = element.tag in ("script", "video", "audio") or _HOSTS.fullmatch(host)
    known = known or page != address or _ON_SITE.fullmatch(address.partition("://")[2])
    return page if known or _MEDIA.fullmatch(parts.path) or _in_figure(element) else None


def _source(element: HtmlElement) -> str:
    """Return the address that an element loads, even if it loads lazily or is of an old kind."""
    for name in _SOURCES:
        value = (element.get(name) or "").strip()
        if value and not value.startswith(("about:", "data:", "blob:", "javascript:")):
            return value
    inner = next(elements(element, "source", "embed", "iframe"), element)
    if inner is not element:
        return (inner.get("src") or "").strip()
    movie = (p for p in elements(element, "param") if p.get("name") in ("movie", "src"))
    return next((p.get("value") or "" for p in movie), "").strip()


def _in_figure(element: HtmlElement) -> bool:
    return element.tag == "iframe" and next(element.iterancestors("figure"), None) is not None
