"""Words for test questions: the words of a text in lower case, and how rare they are."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_IDENTIFIER = re.compile(r"\w+")
#: Words in a shingle; shingles are compared to see whether one text is part of another.
SHINGLE = 3

Shingle = tuple[str, ...]


def words(text: str) -> list[str]:
    """Return the words of a text in order, in lower case."""
    return [match[0].casefold() for match in _WORD.finditer(text)]


def shingles(text: str, lengths: Collection[int] = ()) -> set[Shingle]:
    """Return the runs of words of a text.

    Args:
        text: Any text.
        lengths: Run lengths, in words. If empty, runs are three words long, or the whole text if
            it is shorter.
    """
    found = [match[0].casefold() for match in _IDENTIFIER.finditer(text)]
    if not found:
        return set()
    return {
        tuple(found[i : i + length])
        for length in lengths or (min(SHINGLE, len(found)),)
        for i in range(len(found) - length + 1)
    }


class Rarity:
    """Tells how rare words are, by their inverse document frequency over chunks."""

    def __init__(self) -> None:
        self._chunks = 0
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Count the words of one more chunk."""
        self._chunks += 1
        self._counts.update(set(words(text)))

    def of(self, word: str) -> float:
        """Return the logarithm of the ratio of all chunks to the chunks with this word."""
        return math.log((self._chunks + 1) / (self._counts[word] + 1))

    def mean(self, found: Sequence[str]) -> float:
        """Return how rare words are on average; 0 if there are none."""
        return sum(map(self.of, found)) / len(found) if found else 0.0

    def rarest_first(self, found: Iterable[str]) -> list[str]:
        """Return the words, each once, the rarest first; ties in alphabetical order."""
        return sorted(set(found), key=lambda word: (-self.of(word), word))
