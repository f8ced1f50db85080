"""What is on a page but not of the article: found by element, role, and name."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from moodswarm.extraction.tree import drop, drop_all, elements, names, text_of
from moodswarm.extraction.vocabulary import (
    ANCHOR,
    BOILERPLATE,
    CONTENT,
    CONTENTS_HEADING,
    STATE,
)

_NEVER = (
    "script", "style", "link", "meta", "noscript", "template", "svg", "iframe", "object", "embed",
    "canvas", "audio", "video", "map", "dialog", "select", "textarea", "button", "datalist",
    "progress", "meter", "input", "frame", "frameset", "applet",
)  # fmt: skip
_ROLES = {
    "navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog",
    "menu", "menubar", "tablist", "toolbar", "tooltip",
}  # fmt: skip
_BLOCKS = (
    "div", "section", "aside", "ul", "ol", "p", "header", "footer", "nav", "form", "span", "a",
    "figure", "table", "details", "label", "dl", "h2", "h3", "h4", "h5", "h6", "small", "li",
    "starlight-toc", "mobile-starlight-toc", "time", "address",
)  # fmt: skip
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
#: An element that holds more of the page's words is the page, whatever it is called.
_MOST = 0.4


def prune_page(body: HtmlElement) -> None:
    """Remove from a page what cannot be of its article."""
    _keep_tasks(body)
    drop_all(elements(body, *_NEVER))
    limit = len(text_of(body)) * _MOST
    for element in list(_suspects(body)):
        if not _inside_code(element) and (len(text_of(element)) <= limit or _only_leads(element)):
            before = element.getprevious()
            listed = sum(1 for _ in element.iter("a")) > 1
            drop(element)
            if listed and before is not None and CONTENTS_HEADING.fullmatch(text_of(before)):
                drop(before)  # the heading of a table of contents that has gone


def _only_leads(element: HtmlElement) -> bool:
    """Tell navigation that is most of a short page."""
    linked = sum(len(text_of(link)) for link in element.iter("a"))
    return element.tag == "nav" and linked > len(text_of(element)) / 2


def _keep_tasks(body: HtmlElement) -> None:
    """Write the boxes of a task list as markdown does; the elements themselves go."""
    for box in elements(body, "input"):
        item = next(box.iterancestors("li"), None)
        if box.get("type") == "checkbox" and item is not None and not _named_boilerplate(item):
            mark = "[x] " if box.get("checked") is not None else "[ ] "
            box.tail = mark + (box.tail or "").lstrip()


def _suspects(body: HtmlElement) -> Iterator[HtmlElement]:
    for element in elements(body):
        if element is body or element.tag in ("article", "main", "html"):
            continue
        if element.tag in ("nav", "footer") or element.get("role") in _ROLES:
            if not _is_note(element):
                yield element
        elif _is_hidden(element) or (element.tag in _BLOCKS and _named_boilerplate(element)):
            yield element


def _is_note(element: HtmlElement) -> bool:
    """Tell footnotes and admonitions, which some sites put in landmark elements."""
    return any("footnote" in n or "admonition" in n or "citation" in n for n in names(element))


def _is_hidden(element: HtmlElement) -> bool:
    if element.get("aria-hidden") == "true":
        return not element.xpath("ancestor-or-self::*[self::pre or self::code]")
    if element.get("hidden") not in (None, "until-found"):
        return True
    return bool(_HIDING.search(element.get("style") or ""))


def _named_boilerplate(element: HtmlElement) -> bool:
    classes = names(element)
    if element.tag in _HEADINGS:  # named after the anchor it carries; that goes by itself
        classes = [name for name in classes if not ANCHOR.fullmatch(name)]
    if any(CONTENT.fullmatch(name) for name in classes):
        return False
    if any(BOILERPLATE.fullmatch(name) and not STATE.fullmatch(name) for name in classes):
        return True
    # Ids of sections and headings come from the words of the article.
    if element.tag in (*_HEADINGS, "section", "a", "span", "li", "p", "details"):
        return False
    if "section" in classes:
        return False
    return any(BOILERPLATE.fullmatch(name) for name in names(element, "id"))


def _inside_code(element: HtmlElement) -> bool:
    return next(element.iterancestors("pre", "code"), None) is not None
