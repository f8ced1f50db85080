"""Blocks of markdown or plain text: prose, headings, list items, tables and code.

Follows CommonMark as far as cleaning and chunking need it: which lines are code, and where a
block ends. There is one addition: html2text begins a code block with blank lines of four or more
spaces, even right below a list item, where CommonMark would see a paragraph of that item.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

CODE_INDENT = 4


class Kind(Enum):
    """The kind of a line or block."""

    BLANK = "blank"
    PROSE = "prose"
    HEADING = "heading"
    LIST_ITEM = "list_item"
    TABLE = "table"
    FENCED = "fenced"
    INDENTED = "indented"

    @property
    def is_code(self) -> bool:
        """Tell whether the kind is code, which must not be changed by a single byte."""
        return self is Kind.FENCED or self is Kind.INDENTED


@dataclass(frozen=True, slots=True)
class Block:
    """A run of whole lines, `text[start:end]`, without the line ending of the last one."""

    kind: Kind
    start: int
    end: int


class _Fence(NamedTuple):
    marker: str
    length: int
    indent: int
    quoted: bool


_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_FENCE = re.compile(r"(?P<quotes>(?:[ \t]*>)*)[ \t]*(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)")
_UNDERLINE = re.compile(r"=+[ \t]*$|-{3,}[ \t]*$")
_SPACE = " \t\r\n"


def split_lines(text: str) -> list[str]:
    r"""Return the lines with their endings (`\n`, `\r\n` or `\r`); joined, they are the text."""
    return _LINE.findall(text)


class LineScanner:
    """Tells the kind of each line from the lines before it, except tables, see `split_blocks`.

    Attributes:
        kinds: The kind of each line so far. A blank line becomes code if the code goes on after it.
        starts: For each line, whether it begins a new block.
    """

    def __init__(self) -> None:
        self.kinds: list[Kind] = []
        self.starts: list[bool] = []
        self._seen = ("", Kind.BLANK)  # the line last asked about, usually the next one pushed
        self._fence: _Fence | None = None
        self._contents: list[int] = []  # columns where the text of each open list item begins
        self._previous = Kind.BLANK
        self._solid = Kind.BLANK  # kind of the last line that is not blank
        self._blanks = 0  # blank lines since that line
        self._padded = 0  # how many of the last blank lines, in a row, hold four or more spaces
        self._loose = False  # inside code that is recognised only by the padded line above it

    def is_code(self, line: str) -> bool:
        """Tell whether `line` would be code if it came next; the scanner does not move on."""
        self._seen = (line, self._classify(line))
        return self._seen[1].is_code

    def push(self, line: str) -> None:
        """Take the next line, with or without its line ending."""
        seen, kind = self._seen
        if seen is not line:
            kind = self._classify(line)
        self._seen = ("", Kind.BLANK)
        if kind is Kind.FENCED:
            start = self._push_fence(line)
        else:
            self._fence = None
            start = self._push_plain(line, kind)
        self.kinds.append(kind)
        self.starts.append(start)
        self._previous = kind
        if kind is not Kind.BLANK:
            self._solid, self._blanks, self._padded = kind, 0, 0

    def _push_fence(self, line: str) -> bool:
        if self._fence is None or not _inside(self._fence, line):
            self._fence = _opening_fence(line)
            self._leave_items(indentation(line))
            return True
        if _closes(self._fence, line):
            self._fence = None
        return False

    def _push_plain(self, line: str, kind: Kind) -> bool:
        indent = indentation(line)
        if kind is Kind.BLANK:
            self._blanks += 1
            self._padded = self._padded + 1 if indent >= CODE_INDENT else 0
            return False
        if kind is Kind.INDENTED:
            self._loose = indent < self._base(indent) + CODE_INDENT
            return not self._absorb_blanks()
        self._loose = False
        if kind is Kind.PROSE and self._continues():
            return False
        self._leave_items(indent)
        if kind is Kind.LIST_ITEM:
            self._contents.append(_content_column(line, indent))
        return True

    def _absorb_blanks(self) -> bool:
        """Make blank lines above a code line part of its block.

        Returns whether the line continues a block instead of starting one.
        """
        inside = self._solid is Kind.INDENTED
        count = self._blanks if inside else self._padded if self._loose else 0
        for index in range(len(self.kinds) - count, len(self.kinds)):
            self.kinds[index] = Kind.INDENTED
        if count and not inside:
            self.starts[-count] = True
        return count > 0 or self._previous is Kind.INDENTED

    def _classify(self, line: str) -> Kind:
        if self._fence is not None and _inside(self._fence, line):
            return Kind.FENCED
        stripped = line.strip(_SPACE)
        if not stripped:
            return Kind.BLANK
        indent = indentation(line)
        relative = indent - self._base(indent)
        if self._is_indented_code(stripped, indent, relative):
            return Kind.INDENTED
        return Kind.PROSE if relative >= CODE_INDENT else _marked(line, stripped)

    def _is_indented_code(self, stripped: str, indent: int, relative: int) -> bool:
        if indent < CODE_INDENT or self._continues():
            return False
        if relative >= CODE_INDENT or (self._loose and self._solid is Kind.INDENTED):
            return True
        return self._padded > 0 and not _MARKER.match(stripped)

    def _continues(self) -> bool:
        return self._previous in (Kind.PROSE, Kind.LIST_ITEM)

    def _leave_items(self, indent: int) -> None:
        while self._contents and indent < self._contents[-1]:
            self._contents.pop()

    def _base(self, indent: int) -> int:
        """Return the column that code indentation is measured from.

        It is where the text of the innermost list item around the line begins.
        """
        if not self._contents or not indent:
            return 0
        return next((column for column in reversed(self._contents) if column <= indent), 0)


def split_blocks(text: str) -> list[Block]:
    """Split text into blocks, in order; only blank lines are left out."""
    lines = split_lines(text)
    scanner = LineScanner()
    for line in lines:
        scanner.push(line)
    blocks: list[Block] = []
    first = offset = end = 0
    kind = Kind.BLANK
    for line, line_kind, starts in zip(lines, scanner.kinds, scanner.starts, strict=True):
        if line_kind is Kind.BLANK or starts:
            _close(text, kind, first, end, blocks)
            kind, first = line_kind, offset
        end = offset + len(line.rstrip("\r\n"))
        offset += len(line)
    _close(text, kind, first, end, blocks)
    return blocks


def _close(text: str, kind: Kind, start: int, end: int, blocks: list[Block]) -> None:
    if kind is Kind.PROSE:
        blocks.extend(_refine_prose(text, start, end))
    elif kind is not Kind.BLANK:
        blocks.append(Block(kind, start, end))


def _refine_prose(text: str, start: int, end: int) -> list[Block]:
    """Return a run of prose lines as blocks: a heading if underlined, else prose and any table."""
    lines = split_lines(text[start:end])
    if len(lines) == 2 and _UNDERLINE.match(lines[1]):  # noqa: PLR2004
        return [Block(Kind.HEADING, start, end)]
    ruler = next((i for i, line in enumerate(lines[1:], 1) if _is_table_ruler(line)), None)
    if ruler is None or "|" not in lines[ruler - 1]:
        return [Block(Kind.PROSE, start, end)]
    header = start + sum(map(len, lines[: ruler - 1]))
    table = Block(Kind.TABLE, header, end)
    if header == start:
        return [table]
    above = start + len(text[start:header].rstrip("\r\n"))
    return [Block(Kind.PROSE, start, above), table]


def _is_table_ruler(line: str) -> bool:
    return "|" in line and "-" in line and not line.strip(" \t\r\n|:-")


def _marked(line: str, stripped: str) -> Kind:
    """Return the kind of a line that is not indented code, by its first characters."""
    if stripped[0] in "`~>" and _opening_fence(line) is not None:
        return Kind.FENCED
    if stripped[0] == "#" and _HEADING.match(stripped):
        return Kind.HEADING
    if _MARKER.match(stripped) and not _is_rule(stripped):
        return Kind.LIST_ITEM
    return Kind.PROSE


def indentation(line: str) -> int:
    """Return the column of the first character that is not a space or tab; tab stops are 4 wide."""
    spaces = len(line) - len(line.lstrip(" "))
    if line[spaces : spaces + 1] != "\t":
        return spaces
    column = 0
    for character in line:
        if character == " ":
            column += 1
        elif character == "\t":
            column += CODE_INDENT - column % CODE_INDENT
        else:
            break
    return column


def _content_column(line: str, indent: int) -> int:
    marker = _MARKER.match(line.lstrip(_SPACE))
    width = marker.end() if marker else 1
    rest = line.lstrip(_SPACE)[width:]
    spaces = indentation(rest)
    return indent + width + (spaces if rest.strip(_SPACE) and spaces <= CODE_INDENT else 1)


def _is_rule(stripped: str) -> bool:
    marks = stripped.replace(" ", "").replace("\t", "")
    return len(marks) > 2 and marks[0] in "-*_" and marks == marks[0] * len(marks)  # noqa: PLR2004


def _opening_fence(line: str) -> _Fence | None:
    match = _FENCE.match(line.rstrip(_SPACE))
    if match is None:
        return None
    fence = match["fence"]
    return _Fence(fence[0], len(fence), indentation(line), bool(match["quotes"]))


def _inside(fence: _Fence, line: str) -> bool:
    return not fence.quoted or line.lstrip(_SPACE).startswith(">")


def _closes(fence: _Fence, line: str) -> bool:
    body = line.lstrip(" \t>") if fence.quoted else line
    marks = body.strip(_SPACE)
    if len(marks) < fence.length or marks != fence.marker * len(marks):
        return False
    return fence.quoted or indentation(body) < max(fence.indent, 0) + CODE_INDENT
