"""Lists of teasers for other pages of the site, which themes put below or beside an article."""

from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from moodswarm.extraction.tree import drop_all, elements, text_of
from moodswarm.extraction.weights import Weight, weigh
from moodswarm.extraction.words import words_in

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BOXES = ("li", "div", "article", "section", "a")
_LEAST = 3
#: The most words in one teaser; a longer text is an article.
_TEASER = 120
#: The most words around a list, such as its heading, that still belong to the list.
_AROUND = 12
#: The fewest words of prose in a paragraph, and in an article outside its teasers.
_PARAGRAPH, _ARTICLE = 8, 60


def leads_away(link: HtmlElement, url: str) -> bool:
    """Tell whether a link leads to another page of the same site."""
    try:
        there, here = urlsplit(urljoin(url, link.get("href") or "")), urlsplit(url)
    except ValueError:
        return False
    same_site = there.hostname == here.hostname
    return bool(same_site and there.path.rstrip("/") != here.path.rstrip("/"))


def drop_teasers(body: HtmlElement, url: str) -> int:
    """Remove lists of teasers, except for those that an author put among paragraphs.

    Args:
        body: The body of an article's page.
        url: The address of the page.

    Returns:
        The number of words that were removed.
    """
    lists = _lists(body, url)
    if not lists:
        return 0
    weights = weigh(body)
    found = {_with_heading(one, body, weights) for one in lists}
    found = {
        one
        for one in found
        if found.isdisjoint(one.iterancestors()) and not _among_paragraphs(one, weights)
    }
    prose = sum(weights[one].prose for one in found)
    if weights[body].prose - prose < _ARTICLE:
        return 0  # the list is the page itself
    drop_all(found)
    return sum(weights[one].words for one in found)


def _lists(body: HtmlElement, url: str) -> list[HtmlElement]:
    """Return the elements that hold at least three teasers, and fewer other parts than teasers."""
    counts: dict[HtmlElement, set[HtmlElement]] = {}
    teasers: dict[HtmlElement, bool | None] = {}
    for link in elements(body, "a"):
        if not leads_away(link, url):
            continue
        for item in (link, *link.iterancestors()):
            if item not in teasers:
                teasers[item] = _is_teaser(item)
            box = item.getparent()
            if item is body or box is None or teasers[item] is None:
                break
            if teasers[item]:
                counts.setdefault(box, set()).add(item)
    return [
        box
        for box, items in counts.items()
        if len(items) >= _LEAST and 2 * len(items) > sum(1 for child in box if text_of(child))
    ]


def _is_teaser(item: HtmlElement) -> bool | None:
    """Tell whether a box holds a picture or heading and little text; None if it holds more text."""
    words = words_in(item)
    if words > _TEASER:
        return None
    shown = next(elements(item, "img", *_HEADINGS), None)
    return item.tag in _BOXES and shown is not None and words > 1


def _with_heading(
    found: HtmlElement, body: HtmlElement, weights: dict[HtmlElement, Weight]
) -> HtmlElement:
    whole = found
    for parent in found.iterancestors():
        if parent is body or weights[parent].words - weights[found].words > _AROUND:
            break
        whole = parent
    return whole


def _among_paragraphs(element: HtmlElement, weights: dict[HtmlElement, Weight]) -> bool:
    parent = element.getparent()
    return parent is None or any(
        e.tag in ("p", "pre", "blockquote") and weights[e].prose >= _PARAGRAPH
        for e in parent
        if e in weights
    )
