"""Brings questions and names into one spelling, so that `Élise’s` is found as `elise's`."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "œ": "oe"}
    | dict.fromkeys("’‘ʼ`´", "'")
    | dict.fromkeys("‐‑‒–—−", "-")
)


def fold(text: str) -> str:
    """Return the text without accents, with plain quotes, dashes and single spaces; case is kept.

    The patterns deal with case, as capitals distinguish names from ordinary words.
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(plain.split())


#: The place where a part of a text begins, and the place just past its end.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text that knows where each of its characters stood in the original.

    Attributes:
        text: The text as `fold` returns it.
        places: The place of each character in the original, and the end of the original.
    """

    text: str
    places: tuple[int, ...]

    @classmethod
    def of(cls, original: str) -> "Folded":
        """Fold a text, character by character."""
        letters: list[str] = []
        places: list[int] = []
        for place, character in enumerate(original):
            for letter in unicodedata.normalize("NFKD", character.translate(_LETTERS)):
                if letter.isspace():
                    if not letters or letters[-1] == " ":
                        continue
                    letter = " "  # noqa: PLW2901
                if not unicodedata.combining(letter):
                    letters.append(letter)
                    places.append(place)
        if letters and letters[-1] == " ":
            letters.pop()
        return cls("".join(letters), (*places[: len(letters)], len(original)))

    def replaced(self, pattern: re.Pattern[str], sign: str) -> "Folded":
        """Return the same text with the character `sign` in place of each match."""
        letters: list[str] = []
        places: list[int] = []
        end = 0
        for match in pattern.finditer(self.text):
            letters += [*self.text[end : match.start()], sign]
            places += [*self.places[end : match.start()], self.places[match.start()]]
            end = match.end()
        letters += self.text[end:]
        return Folded("".join(letters), (*places, *self.places[end:]))

    def original(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """Return where parts of this text stood in the original."""
        return tuple((self.places[start], self.places[end]) for start, end in spans)


def words(*listed: str) -> str:
    """Return a pattern for any of these words, the longest first; each argument lists several."""
    every = {word for text in listed for word in text.split()}
    return "(?:" + "|".join(re.escape(word) for word in sorted(every, key=_longest)) + ")"


def _longest(word: str) -> tuple[int, str]:
    return -len(word), word
