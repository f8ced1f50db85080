"""Words as test questions see them: lower case, and how rare each is in the corpus."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_IDENTIFIER = re.compile(r"\w+")
#: Words in a shingle: what is compared to see whether a text stands in another.
SHINGLE = 3

Shingle = tuple[str, ...]


def words(text: str) -> list[str]:
    """Return the words of a text in order, in lower case."""
    return [match[0].casefold() for match in _WORD.finditer(text)]


def shingles(text: str, lengths: Collection[int] = ()) -> set[Shingle]:
    """Return the runs of words of a text.

    Args:
        text: Any.
        lengths: Of the runs; none given takes three words, or all where there are fewer.
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
    """How rare words are: inverse document frequency over chunks."""

    def __init__(self) -> None:
        self._chunks = 0
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Count a chunk."""
        self._chunks += 1
        self._counts.update(set(words(text)))

    def of(self, word: str) -> float:
        """Return the logarithm of how many chunks there are for one with this word."""
        return math.log((self._chunks + 1) / (self._counts[word] + 1))

    def mean(self, found: Sequence[str]) -> float:
        """Return how rare words are on average; 0 for none."""
        return sum(map(self.of, found)) / len(found) if found else 0.0

    def rarest_first(self, found: Iterable[str]) -> list[str]:
        """Return words, each once; ties by alphabet."""
        return sorted(set(found), key=lambda word: (-self.of(word), word))
