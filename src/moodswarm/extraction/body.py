"""Finding the element of a page that holds the article."""

import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import accumulate

from lxml import etree
from lxml.html import HtmlElement

from moodswarm.extraction.tree import elements, names
from moodswarm.extraction.words import words_in, words_of

#: The element must hold this share of the words that trafilatura finds.
_COVERED = 0.9
#: A wider element is taken if trafilatura found at least this share of its additional words.
_WORTH = 0.5
#: If trafilatura finds a smaller share of the words of a page, its slower algorithms are tried too.
_DOUBTFUL = 0.5
_HOLDERS = re.compile(
    r"(?:post|article|entry|story|blog-post|blog-entry|theme-doc|sl|post-body)-"
    r"(?:content|body|markdown|markdown-content|text)|e-content|markdown-body|articlebody"
    r"|vp-doc|rst-content|md-content-inner|kg-canvas|gh-content|available-content"
)
_TEXT = ("p", "pre", "table", "ul", "ol", "blockquote")
_RUN = 3


def find_article(body: HtmlElement, root: HtmlElement) -> HtmlElement:
    """Return the element that holds the article and as little else as possible.

    trafilatura tells which words belong to the article. The deepest element that covers nine
    tenths of these words is taken, or a wider one if most of what it adds is the article's too.

    Args:
        body: The body of the page, after pruning.
        root: The document that `body` belongs to; it is not changed.
    """
    article = words_of(_main_text(root, fast=True))
    if len(article) < _DOUBTFUL * words_in(body):
        article = words_of(_main_text(root, fast=False))
    cover = _Cover(body, article)
    # Text that a page repeats, such as an opening that is also in a list of teasers, counts once.
    total = min(cover.covered(body), len(article))
    if not total:
        return _named_holder(body)
    element, inner = body, cover.child(body, _COVERED * total)
    while inner is not None:
        element, inner = inner, cover.child(inner, _COVERED * total)
    return _widen(element, body, cover)


class _Cover:
    """The number of words that each element of a body shares with the article."""

    def __init__(self, body: HtmlElement, article: list[str]) -> None:
        words: list[str] = []
        self._spans: dict[HtmlElement, tuple[int, int]] = {}
        starts: dict[HtmlElement, int] = {}
        for event, element in etree.iterwalk(body, events=("start", "end")):
            if event == "start":
                starts[element] = len(words)
                if element.text:
                    words += words_of(element.text)
            else:
                self._spans[element] = (starts[element], len(words))
                if element.tail and element is not body:
                    words += words_of(element.tail)
        self._sums = list(accumulate(_marks(words, article), initial=0))

    def covered(self, element: HtmlElement) -> int:
        """Return how many words in the element belong to the article."""
        start, end = self._spans[element]
        return self._sums[end] - self._sums[start]

    def size(self, element: HtmlElement) -> int:
        """Return how many words are in the element."""
        start, end = self._spans[element]
        return end - start

    def child(self, element: HtmlElement, needed: float) -> HtmlElement | None:
        """Return the first child that covers as many words as needed."""
        for child in element:
            if (
                isinstance(child.tag, str)
                and child.tag not in _TEXT
                and self.covered(child) >= needed
            ):
                return child
        return None


def _marks(words: list[str], article: list[str]) -> list[bool]:
    """Tell for each word of a page whether it is in the article.

    A single word proves nothing: as many words in a row as `_run` returns must be in the article.
    """
    run = _run(article)
    if len(article) < run:
        return [word in article for word in words]
    known = set(_runs(article, run))
    marks = [False] * len(words)
    for position, found in enumerate(_runs(words, run)):
        if found in known:
            marks[position : position + run] = [True] * run
    return marks


def _runs(words: list[str], run: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(run)), strict=False)


def _run(article: list[str]) -> int:
    """Return how many words in a row are proof; two Chinese characters count as one word."""
    single = sum(len(word) == 1 and not word.isascii() for word in article)
    return 2 * _RUN if 2 * single > len(article) else _RUN


def _widen(element: HtmlElement, body: HtmlElement, cover: _Cover) -> HtmlElement:
    """Return a wider element if most of what it adds is the article's, such as its opening."""
    best = element
    for parent in element.iterancestors():
        if parent is body.getparent():
            break
        added = cover.size(parent) - cover.size(best)
        if added and cover.covered(parent) - cover.covered(best) >= _WORTH * added:
            best = parent
    return best


def _main_text(root: HtmlElement, *, fast: bool) -> str:
    """Return the text that trafilatura finds; unless `fast`, it compares several algorithms."""
    from trafilatura import bare_extraction

    document = bare_extraction(
        deepcopy(root), include_comments=False, include_tables=True, with_metadata=False, fast=fast
    )
    return str(getattr(document, "text", None) or "")


def _named_holder(body: HtmlElement) -> HtmlElement:
    """Find the article by the names of elements, as trafilatura finds none in very short pages."""
    for element in elements(body):
        if element.get("itemprop") == "articleBody" or any(
            _HOLDERS.fullmatch(name) for name in names(element)
        ):
            return element
    for tag in ("article", "main"):
        holders = list(elements(body, tag))
        if len(holders) == 1:
            return holders[0]
    return body
