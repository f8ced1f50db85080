"""Questions and names in one spelling, so that `Élise’s` is found as `elise's`."""

import re
import unicodedata

_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "œ": "oe"}
    | dict.fromkeys("’‘ʼ`´", "'")
    | dict.fromkeys("‐‑‒–—−", "-")
)


def fold(text: str) -> str:
    """Return the text without accents, with plain quotes, dashes and single spaces; case is kept.

    Case is left to the patterns, as capitals tell names from words.
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(plain.split())


def words(*listed: str) -> str:
    """Return a pattern of any of these words, the longest first; each text holds several."""
    every = {word for text in listed for word in text.split()}
    return "(?:" + "|".join(re.escape(word) for word in sorted(every, key=_longest)) + ")"


def _longest(word: str) -> tuple[int, str]:
    return -len(word), word
