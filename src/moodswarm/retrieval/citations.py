"""Citations such as `[2]` and `[1, 3]` in an answer, checked while it is being written."""

import re
from collections.abc import Collection

_FENCE = "```"
# How many characters of a line are kept to tell how it begins; a fence begins earlier in its line.
_LINE_CHARACTERS = 200
# At most 40 numbers, so that only a short piece of an answer is ever held back.
_NUMBERS = r"\d{1,3}(?: ?[,;–-] ?\d{1,3}){0,39}"
#: The beginning of a line before a fence: nothing, or the mark of a list item or a quotation.
_LINE_START = re.compile(r"[ \t>*+-]*(?:\d{1,9}[.)])?[ \t]*")
#: In code, `x[1]` and `= [1]` are not citations; brackets after a word or a sentence may be one.
_PROSE_BEFORE = re.compile(r"""(?:\w[.!?,;:"')]*[ \t]+(?:[\[【][\d ,;–-]+[\]】])*|[.!?])\Z""")
#: A citation with the space before it, or the marks around code, in which brackets cite nothing.
_TOKEN = re.compile(
    rf"(?P<space>[ \t]{{0,20}})[\[【](?P<numbers>{_NUMBERS})[\]】]|(?P<code>`+)|\n\n"
)
#: The end of a piece that may become a citation or a mark of code together with the next piece.
_BEGUN = re.compile(r"[ \t]{0,20}(?:[\[【][\d ,;–-]{0,240})?\Z|`+\Z|(?<!\n)\n\Z")


class CitationCheck:
    """Leaves out citations of sources that do not exist, and records known and unknown ones.

    Brackets in code cite nothing. A model may forget to close a fence, though: numbers of known
    sources in such a fence count as cited if they stand as citations do in prose.

    Attributes:
        cited: The numbers of the known sources that were cited.
        unknown: The numbers that were cited but that no source has.

    Args:
        known: The numbers of the sources.
    """

    def __init__(self, known: Collection[int]) -> None:
        self.cited: set[int] = set()
        self.unknown: set[int] = set()
        self._known = known
        self._waiting = ""
        self._code = ""
        self._is_fence = False
        self._in_fence: set[int] = set()
        self._line = ""

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
        text = self._checked(text)
        if self._is_fence:
            self.cited |= self._in_fence
        return text

    def _checked(self, text: str) -> str:
        checked = _TOKEN.sub(self._token, text)
        self._line = self._before(text, len(text))
        return checked

    def _before(self, text: str, place: int) -> str:
        """Return the end of the line up to a place in a piece of the text."""
        start = text.rfind("\n", 0, place) + 1
        line = text[start:place] if start else self._line + text[:place]
        return line[-_LINE_CHARACTERS:]

    def _token(self, match: re.Match[str]) -> str:
        if match["code"]:
            line = self._before(match.string, match.start("code"))
            self._toggle(match["code"], begins=bool(_LINE_START.fullmatch(line)))
        elif match["numbers"]:
            if not self._code:
                return self._citation(match)
            line = self._before(match.string, match.end("space"))
            if self._is_fence and _PROSE_BEFORE.search(line):
                self._in_fence |= self._known_of(_numbers(match["numbers"]))
        elif not self._is_fence:
            self._code = ""  # Inline code ends with its paragraph at the latest.
        return match[0]

    def _toggle(self, marks: str, *, begins: bool) -> None:
        if not self._code:
            self._code = marks
            # Within a line, three marks begin inline code, just as one does.
            self._is_fence = begins and len(marks) >= len(_FENCE)
            self._in_fence = set()
        elif marks == self._code or (self._is_fence and len(marks) > len(self._code)):
            self._code, self._is_fence = "", False

    def _known_of(self, numbers: Collection[int]) -> set[int]:
        return {number for number in numbers if number in self._known}

    def _citation(self, match: re.Match[str]) -> str:
        numbers = _numbers(match["numbers"])
        known = [number for number in numbers if number in self._known]
        self.cited.update(known)
        self.unknown.update(set(numbers) - set(known))
        if len(known) == len(numbers):
            return match[0]
        return f"{match['space']}[{', '.join(map(str, known))}]" if known else ""


def _numbers(text: str) -> list[int]:
    """Return the numbers in a text such as `1, 3`, or in a range such as `2-4`."""
    found: list[int] = []
    for part in re.split(r" ?[,;] ?", text):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        found += range(ends[0], ends[-1] + 1) if ends[0] <= ends[-1] else ends
    return found
