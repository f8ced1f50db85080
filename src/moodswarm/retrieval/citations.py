"""Citations such as `[2]` and `[1, 3]` in an answer, checked while it is being written."""

import re
from collections.abc import Collection

_FENCE = "```"
# At most 40 numbers, so that no more than that of an answer is ever held back.
_NUMBERS = r"\d{1,3}(?: ?[,;–-] ?\d{1,3}){0,39}"
#: A citation with the space before it; or the marks of code, in which brackets cite nothing.
_TOKEN = re.compile(
    rf"(?P<space>[ \t]{{0,20}})[\[【](?P<numbers>{_NUMBERS})[\]】]|(?P<code>`+)|\n\n"
)
#: The end of a piece that may become one of these with the next piece.
_BEGUN = re.compile(r"[ \t]{0,20}(?:[\[【][\d ,;–-]{0,240})?\Z|`+\Z|(?<!\n)\n\Z")


class CitationCheck:
    """Leaves out citations of sources that do not exist, and keeps track of both kinds.

    Attributes:
        cited: Numbers of known sources that were cited.
        unknown: Numbers that no source has.

    Args:
        known: Numbers of the sources.
    """

    def __init__(self, known: Collection[int]) -> None:
        self.cited: set[int] = set()
        self.unknown: set[int] = set()
        self._known = known
        self._waiting = ""
        self._code = ""

    def add(self, piece: str) -> str:
        """Return the text that can be shown after one more piece."""
        text = self._waiting + piece
        begun = _BEGUN.search(text)
        ready = begun.start() if begun else len(text)
        self._waiting = text[ready:]
        return self._checked(text[:ready])

    def end(self) -> str:
        """Return the text that was still held back."""
        text, self._waiting = self._waiting, ""
        return self._checked(text)

    def _checked(self, text: str) -> str:
        return _TOKEN.sub(self._token, text)

    def _token(self, match: re.Match[str]) -> str:
        if match["code"]:
            self._toggle(match["code"])
        elif match["numbers"]:
            return match[0] if self._code else self._citation(match)
        elif len(self._code) < len(_FENCE):
            self._code = ""  # Inline code ends with its paragraph at the latest.
        return match[0]

    def _toggle(self, marks: str) -> None:
        if not self._code:
            self._code = marks
        elif marks == self._code:
            self._code = ""

    def _citation(self, match: re.Match[str]) -> str:
        numbers = _numbers(match["numbers"])
        known = [number for number in numbers if number in self._known]
        self.cited.update(known)
        self.unknown.update(set(numbers) - set(known))
        if len(known) == len(numbers):
            return match[0]
        return f"{match['space']}[{', '.join(map(str, known))}]" if known else ""


def _numbers(text: str) -> list[int]:
    """Return the numbers of `1, 3`, or of the range `2-4`."""
    found: list[int] = []
    for part in re.split(r" ?[,;] ?", text):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        found += range(ends[0], ends[-1] + 1) if ends[0] <= ends[-1] else ends
    return found
