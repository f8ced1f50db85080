"""Refuses pages: costly ones before parsing, empty applications, missing pages and listings."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from moodswarm.extraction.article import Refused
from moodswarm.extraction.head import meta
from moodswarm.extraction.metadata import Metadata
from moodswarm.extraction.teasers import leads_away
from moodswarm.extraction.tree import elements, find_body, text_of
from moodswarm.extraction.words import words_in

#: The parser compares each attribute of a tag with all others; 100,000 attributes take 20 seconds.
_ATTRIBUTES = 2_000
# Possessive quantifiers, so that no page can make the search backtrack.
_TAG = re.compile(r"<!--|<([a-zA-Z][^\s\"'<>/]*+)(?:[^\"'<>]++|\"[^\"]*+\"|'[^']*+'|<)*+")
_COMMENT_END = re.compile(r"--!?>")
# No tags are read inside these elements, since a script may contain a comparison such as `i<n`.
_RAW_ENDS = {
    name: re.compile(f"</{name}", re.I)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
}
_VALUE = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_NAME = re.compile(r"[^\s=\"'/>]++(?:\s*+=\s*+[^\s\"'>]*+)?")
_TAGS = 100_000
_ROOTS = {
    "root", "app", "__next", "__nuxt", "___gatsby", "react-root", "app-root", "svelte", "q-app",
    "main-app", "ember-app", "__docusaurus", "mount", "application",
}  # fmt: skip
_ENABLE = re.compile(
    r"(?:enable|requires?|needs?|turn on|activate|without|please use).{0,60}javascript"
    r"|javascript.{0,60}(?:enabled?|required?|disabled|necessary|turned on|to run)"
    r"|javascript.{0,30}(?:aktivieren|activer|habilit|activa)|(?:aktivieren|activez|habilite|active).{0,30}javascript",
    re.I | re.S,
)
_UNSEEN = ("script", "style", "noscript", "template")
_NO_TEXT = 20
_LITTLE_TEXT = 100
_LISTING_PATH = re.compile(
    r"/(?:(?:tags?|categor(?:y|ies)|archives?|archive|topics?|authors?|label|search)(?:/.*)?|page/\d+"
    r"|(?:blog|posts|articles|writing|notes|index\.html?|\d{4}(?:/\d{2})?)?)/?|.*/page/\d+/?",
    re.I,
)
_MISSING = re.compile(
    r"""(?:(?:error|http)\s*)?404(?:[\s:.!–—-]*(?:error|(?:page\s+)?not\s+found))?[.!]?
    |(?:(?:oops|sorry|whoops)\W+)?(?:(?:the|this|that|your)\s+)?(?:requested\s+)?
     (?:(?:page|post|article|story|file)\s+)?
     (?:(?:(?:was|is|could|can)(?:n['’]t|\s*not)\s+)(?:be\s+)?|not\s+)found[.!]?
    |(?:(?:this|the|that)\s+)?(?:page|post|article|story)\s+
     (?:doesn['’]t\s+exist|does\s+not\s+exist|no\s+longer\s+exists)[.!]?
    |(?:seite|beitrag|artikel)\s+(?:wurde\s+)?nicht\s+gefunden[.!]?
    |page\s+(?:introuvable|non\s+trouvée)[.!]?|página\s+no\s+encontrada[.!]?
    |pagina\s+non\s+trovata[.!]?|ページが見つかりません(?:でした)?。?|页面不存在|找不到页面""",
    re.I | re.X,
)
#: The most words on a page that says only that nothing was found.
_NOTICE = 300
_ENTRIES = 3
_PROSE = 150
_SOME_PROSE = 50
_TEASER = 120
_LONG_PARAGRAPH = 25
_LINK_SHARE = 0.6
_LINE_LINKS = 8


def refuse_costly(text: str) -> Refused | None:
    """Refuse a page that would cost the parser, or a later step, too much time."""
    tags = 0
    for tag in _tags(text):
        tags += 1
        if tags > _TAGS:
            return Refused("too_large", f"more than {_TAGS:,} tags")
        if len(tag) < 2 * _ATTRIBUTES:
            continue
        if len(_NAME.findall(_VALUE.sub(" ", tag))) > _ATTRIBUTES:
            return Refused("too_large", f"a tag with more than {_ATTRIBUTES:,} attributes")
    return None


def _tags(text: str) -> Iterator[str]:
    """Yield the start tags of a page, as a parser sees them: none in comments and scripts."""
    position = 0
    while tag := _TAG.search(text, position):
        position = tag.end()
        if not tag[1]:
            # `<!-->` is a complete comment. After an unclosed comment, tags are read, to be safe.
            end = _COMMENT_END.search(text, tag.start() + 2)
            if end is None:
                yield from (rest[0] for rest in _TAG.finditer(text, position))
                return
            position = end.end()
            continue
        yield tag[0]
        if raw_end := _RAW_ENDS.get(tag[1].lower()):
            end = raw_end.search(text, position)
            position = end.start() if end else len(text)


def refuse_application(root: HtmlElement) -> Refused | None:
    """Refuse a page that shows its text only in a browser, but no page that already has text."""
    body = find_body(root)
    words = _visible(body)
    if words >= _LITTLE_TEXT:
        return None
    scripts = next(elements(root, "script"), None) is not None
    for element in elements(body):
        name = element.get("id") or element.tag
        if name in _ROOTS and scripts and _visible(element) < _NO_TEXT:
            return Refused("needs_browser", f"the element {name!r} is empty until scripts fill it")
    asked = any(_ENABLE.search(text_of(e)) for e in elements(body, "noscript"))
    if asked and words < _LITTLE_TEXT / 2:
        return Refused("needs_browser", "the page asks to enable JavaScript")
    if scripts and words < _NO_TEXT / 2:
        return Refused("needs_browser", "there is hardly any text but there are scripts")
    return None


def _visible(element: HtmlElement) -> int:
    """Count the words that are shown without scripts."""
    unseen = (
        e for e in elements(element, *_UNSEEN) if next(e.iterancestors(*_UNSEEN), None) is None
    )
    return words_in(element) - sum(words_in(e) for e in unseen)


def refuse_missing(root: HtmlElement, body: HtmlElement) -> Refused | None:
    """Refuse a page that says that nothing was found, although the server reports success.

    The title or first heading must say so, and the page must ask search engines not to index it.
    """
    if "noindex" not in (meta(root, "robots") or "").lower() or words_in(body) > _NOTICE:
        return None
    first = next((text_of(e) for e in elements(body, "h1", "h2")), "")
    page = text_of(title) if (title := root.find(".//title")) is not None else ""
    for text in re.split(r"\s+[|–—·•:»«/~-]+\s+|\n", f"{first}\n{page}"):
        if _MISSING.fullmatch(text.strip()):
            return Refused("not_found", f"the page says: {text.strip():.80}")
    return None


def refuse_listing(
    root: HtmlElement, body: HtmlElement, metadata: Metadata, url: str
) -> Refused | None:
    """Refuse a page that lists articles; in doubt, a page counts as an article.

    Args:
        root: The root element of the page.
        body: The body of the page, after pruning.
        metadata: The facts that the page states.
        url: The address of the page, which often reveals a listing.
    """
    path = urlsplit(url).path or "/"
    hinted = bool(_LISTING_PATH.fullmatch(path))
    if not hinted and (_says_article(root) or (metadata.published_at and _one_article(body))):
        return None
    entries = _entries(body, url)
    prose = _prose(body, entries)
    if len(entries) >= _ENTRIES and prose < (_PROSE if hinted else _SOME_PROSE):
        return Refused("not_an_article", f"lists {len(entries)} articles")
    if prose < _SOME_PROSE and _is_link_list(body, url):
        return Refused("not_an_article", "is a list of links")
    return None


def _says_article(root: HtmlElement) -> bool:
    return any(
        e.get("property") == "og:type" and (e.get("content") or "").lower() == "article"
        for e in elements(root, "meta")
    )


def _one_article(body: HtmlElement) -> bool:
    return sum(1 for e in elements(body, "article")) <= 1


def _entries(body: HtmlElement, url: str) -> list[HtmlElement]:
    """Return the boxes around headings that link to other pages of the same site."""
    boxes: list[HtmlElement] = []
    for heading in elements(body, "h1", "h2", "h3", "h4"):
        links = [*heading.iter("a"), *heading.iterancestors("a")]
        if any(leads_away(link, url) for link in links):
            boxes.append(_box(heading, body))
    return boxes


def _box(heading: HtmlElement, body: HtmlElement) -> HtmlElement:
    """Return the widest element around a heading that holds no more than a teaser."""
    box = heading
    for parent in heading.iterancestors():
        if parent is body or words_in(parent) > _TEASER:
            break
        if sum(1 for _ in parent.iter(heading.tag)) > 1:
            break
        box = parent
    return box


def _prose(body: HtmlElement, boxes: list[HtmlElement]) -> int:
    """Count the words of text outside the boxes."""
    inside = {e for box in boxes for e in box.iter()}
    words = 0
    for element in elements(body, "p", "pre", "li", "blockquote"):
        if element in inside or element.find(".//p") is not None:
            continue
        own, linked = words_in(element), sum(words_in(a) for a in element.iter("a"))
        words += own if linked < own / 2 else 0
    return words


def _is_link_list(body: HtmlElement, url: str) -> bool:
    if any(words_in(p) >= _LONG_PARAGRAPH for p in elements(body, "p", "pre", "blockquote")):
        return False
    links = [a for a in elements(body, "a") if leads_away(a, url)]
    linked = sum(len(text_of(a)) for a in links)
    return len(links) >= _LINE_LINKS and linked >= _LINK_SHARE * max(1, len(text_of(body)))
