"""Removes everything on a page that is not part of its article, by element, role and name.

A name alone decides only about lists of links and short lines. If an author may have written the
text, its length, its links and its place among other text count for more.
"""

import re
from collections import Counter
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from moodswarm.extraction.boilerplate import Named, read_name
from moodswarm.extraction.panels import is_hidden
from moodswarm.extraction.tree import drop, drop_all, elements, names, text_of
from moodswarm.extraction.weights import Weight, weigh
from moodswarm.extraction.words import count_words, words_in

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
_INLINE = ("a", "span", "small", "time", "label")
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_CONTENTS_HEADING = re.compile(
    r"(?:table of )?contents:?|on this page:?|in this (?:article|post|page):?", re.I
)
#: Sites that collect money; a picture that links to one is a button.
_SUPPORT = re.compile(
    r"(?:www\.)?(?:buymeacoffee\.com|ko-fi\.com|patreon\.com|liberapay\.com|paypal\.(?:com|me)"
    r"|opencollective\.com|flattr\.com|steadyhq\.com)"
)
#: An element with a larger share of the page's prose is the page itself, whatever its name.
_MOST = 0.4
#: The fewest words of prose before the readers' comments that make a short article.
_SHORT_ARTICLE = 25
#: The fewest words of prose that make an author's paragraph.
_PARAGRAPH = 8
#: The fewest words around an element that make it part of a sentence.
_SENTENCE = 3


def prune_page(body: HtmlElement) -> Counter[str]:
    """Remove everything from a page that cannot belong to its article.

    Returns:
        The number of words that were removed, by reason.
    """
    dropped: Counter[str] = Counter()
    _keep_tasks(body)
    drop_all(elements(body, *_NEVER))
    drop_all(e for e in elements(body, "a") if _is_support_button(e))
    _drop_navigation(body, dropped)
    weights = weigh(body)
    gone: set[HtmlElement] = set()
    for element in list(elements(body)):
        if element is body or element.getparent() in gone:
            if element is not body:
                gone.add(element)
            continue
        reason = _reason(element, body, weights)
        if reason is None:
            _forget_name(element, weights[element])
            continue
        gone.add(element)
        dropped[reason] += weights[element].words
        _drop_with_heading(element)
    return dropped


def _drop_navigation(body: HtmlElement, dropped: Counter[str]) -> None:
    """Remove the menus of a page first, so that they do not count as part of the text."""
    for element in list(elements(body, "nav")):
        linked = sum(words_in(link) for link in element.iter("a"))
        words = words_in(element)
        if element.getparent() is not None and 2 * linked > words and not _is_note(element):
            dropped["navigation"] += words
            _drop_with_heading(element)


def _drop_with_heading(element: HtmlElement) -> None:
    """Remove an element; the heading of a table of contents goes with it."""
    before = element.getprevious()
    listed = sum(1 for _ in element.iter("a")) > 1
    drop(element)
    if listed and before is not None and _CONTENTS_HEADING.fullmatch(text_of(before)):
        drop(before)


def _reason(
    element: HtmlElement, body: HtmlElement, weights: dict[HtmlElement, Weight]
) -> str | None:
    """Return the reason why an element cannot belong to the article, or None."""
    if element.tag in ("article", "main", "html") or _inside_code(element):
        return None
    most = _holds_most(element, body, weights)
    if element.tag in ("nav", "footer") or element.get("role") in _ROLES:
        quoted = element.tag == "footer" and _parent_tag(element) == "blockquote"
        kept = most or quoted or _is_note(element)
        return None if kept else str(element.get("role") or element.tag)
    if is_hidden(element):
        return None if most else "hidden"
    named = read_name(element) if element.tag in _BLOCKS else None
    if named is None or (most and not _follows_article(element, named, weights)):
        return None
    if named.kind != "control" and element.tag in _INLINE and _in_sentence(element):
        return None
    return named.kind if named.certain or not _is_written(element, weights) else None


def _forget_name(element: HtmlElement, weight: Weight) -> None:
    """Remove a misleading name from a part that stays, since trafilatura would act on it."""
    if weight.prose >= _PARAGRAPH and element.tag in _BLOCKS and read_name(element) is not None:
        for name in ("class", "id"):
            element.attrib.pop(name, None)


def _holds_most(
    element: HtmlElement, body: HtmlElement, weights: dict[HtmlElement, Weight]
) -> bool:
    prose = weights[element].prose
    return prose > 0 and prose > _MOST * weights[body].prose


def _follows_article(
    element: HtmlElement, named: Named, weights: dict[HtmlElement, Weight]
) -> bool:
    """Tell whether these are readers' comments, which may be longer than a short article above."""
    if named.kind != "readers" or not named.certain:
        return False
    before = 0
    for parent in (element, *element.iterancestors()):
        for sibling in parent.itersiblings(preceding=True):
            before += weights[sibling].prose if sibling in weights else 0
    return before >= _SHORT_ARTICLE


def _in_sentence(element: HtmlElement) -> bool:
    """Tell whether this is a word or link within the text of its paragraph."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return False
    near = ((before.tail if before is not None else parent.text) or "") + (element.tail or "")
    own = (parent.text or "") + " ".join(child.tail or "" for child in parent)
    return bool(re.search(r"\w", near)) and count_words(own) >= _SENTENCE


def _is_written(element: HtmlElement, weights: dict[HtmlElement, Weight]) -> bool:
    """Tell whether an author wrote this text, by its links, its length and its place."""
    weight = weights[element]
    if weight.mostly_links or not weight.words:
        return False
    before, after = element.getprevious(), element.getnext()
    above = before is not None and (before.tag in _HEADINGS or _is_prose(before, weights))
    below = after is not None and _is_prose(after, weights)
    listed = element.tag in ("table", "dl", "ul", "ol")
    return (above and (below or listed)) or ((above or below) and weight.prose >= _PARAGRAPH)


def _is_prose(element: HtmlElement, weights: dict[HtmlElement, Weight]) -> bool:
    weight = weights.get(element, Weight())
    return weight.prose >= _PARAGRAPH and not weight.mostly_links


def _is_support_button(link: HtmlElement) -> bool:
    try:
        host = urlsplit(link.get("href") or "").hostname or ""
    except ValueError:
        return False
    pictured = not text_of(link) and link.find(".//img") is not None
    return pictured and _SUPPORT.fullmatch(host) is not None


def _keep_tasks(body: HtmlElement) -> None:
    """Write the boxes of a task list as markdown does, since their elements are removed."""
    for box in elements(body, "input"):
        item = next(box.iterancestors("li"), None)
        if box.get("type") == "checkbox" and item is not None and read_name(item) is None:
            mark = "[x] " if box.get("checked") is not None else "[ ] "
            box.tail = mark + (box.tail or "").lstrip()


def _is_note(element: HtmlElement) -> bool:
    """Tell whether this is a footnote or admonition; some sites put them in `nav` or `footer`."""
    return any("footnote" in n or "admonition" in n or "citation" in n for n in names(element))


def _parent_tag(element: HtmlElement) -> str:
    parent = element.getparent()
    return "" if parent is None else str(parent.tag)


def _inside_code(element: HtmlElement) -> bool:
    return next(element.iterancestors("pre", "code"), None) is not None
