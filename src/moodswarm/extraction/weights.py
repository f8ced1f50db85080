"""How much text each element of a page holds, and how much is likely to be the author's prose."""

from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

from moodswarm.extraction.words import count_words

#: A text of at least this many words outside links is prose; labels and menus are shorter.
_RUN = 5


@dataclass(frozen=True, slots=True)
class Weight:
    """The numbers of words in an element.

    Attributes:
        words: All words.
        linked: Words in links.
        prose: Words in sentences outside links, and in code blocks.
    """

    words: int = 0
    linked: int = 0
    prose: int = 0

    @property
    def mostly_links(self) -> bool:
        """Tell whether most words are in links, as in navigation and lists of other pages."""
        return 2 * self.linked > self.words


def weigh(body: HtmlElement) -> dict[HtmlElement, Weight]:
    """Return the weight of the body and of every element in it."""
    found: dict[HtmlElement, Weight] = {}
    starts: dict[HtmlElement, tuple[int, int, int]] = {}
    words = linked = prose = links = codes = 0
    for event, element in etree.iterwalk(body, events=("start", "end")):
        if event == "start":
            starts[element] = (words, linked, prose)
            links += element.tag == "a"
            codes += element.tag == "pre"
            text = element.text
        else:
            before = starts[element]
            found[element] = Weight(words - before[0], linked - before[1], prose - before[2])
            links -= element.tag == "a"
            codes -= element.tag == "pre"
            text = element.tail
        if not text or text.isspace():
            continue
        count = count_words(text)
        words += count
        if links:
            linked += count
        elif codes or count >= _RUN:
            prose += count
    return found
