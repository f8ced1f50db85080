"""Counts words, also in scripts that are written without spaces between words."""

import re

from lxml.html import HtmlElement

_HAN_AND_KANA = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Thai, Lao, Tibetan, Myanmar and Khmer.
_SOUTH_EAST = r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{_HAN_AND_KANA}]|[^\W{_HAN_AND_KANA}]+")
_DENSE = re.compile(rf"[{_HAN_AND_KANA}]")
_LONG = re.compile(rf"[{_SOUTH_EAST}]")
_UNSPACED = re.compile(rf"[{_HAN_AND_KANA}{_SOUTH_EAST}\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]+")
#: The average number of characters in a word.
_PER_DENSE_WORD = 2
_PER_LONG_WORD = 5


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case; each Chinese or Japanese character is a word."""
    return _WORD.findall(text.lower())


def count_words(text: str) -> int:
    """Count the words of a text; if no spaces separate words, their number is estimated."""
    if text.isascii() or _UNSPACED.search(text) is None:
        return len(text.split())
    dense, long = len(_DENSE.findall(text)), len(_LONG.findall(text))
    spaced = len(_UNSPACED.sub(" ", text).split())
    return spaced + -(-dense // _PER_DENSE_WORD) + -(-long // _PER_LONG_WORD)


def words_in(element: HtmlElement) -> int:
    """Count the words in an element, even if no space separates neighbouring blocks."""
    return count_words(" ".join(element.itertext()))
