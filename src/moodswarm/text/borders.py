"""Find the places where a text may be cut into chunks, each with the cost of cutting there.

The unit of cost is a chunk: it is worth one extra chunk to avoid a cut that costs 1.
"""

import bisect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from moodswarm.text.blocks import Block, Kind, split_blocks, split_lines
from moodswarm.text.characters import whole_character
from moodswarm.text.code import code_borders
from moodswarm.text.sentences import split_sentences

BEFORE_HEADING = 0.0
BETWEEN_BLOCKS = 0.05
BETWEEN_ITEMS = 0.08
BEFORE_LIST = 0.2
AFTER_COLON = 0.3  # the colon introduces what follows
SENTENCE = 0.15
TABLE_ROW = 0.3
IN_CODE_BLOCK = 0.1
GLUED_SENTENCE = 0.4
CLAUSE = 0.6
AFTER_TABLE_HEADER = 1.0
AFTER_FENCE = 1.0
WORD = 1.0
AFTER_HEADING = 2.0  # a heading belongs to the text below it
IN_FITTING_BLOCK = 2.0  # added to each cut in a code block that fits into one chunk
ANYWHERE = 5.0

_CLAUSE = re.compile(r"[,;:)\]—–]\s+(?=\S)|[，；：、](?=\S)")
_SOLID = re.compile(r"\S")
_WORD = re.compile(r"\s+(?=\S)")
# Sentences on a page that lost its line breaks: "the end.The next begins".
_GLUED = re.compile(r"(?<=[a-z)\]”’\"])[.!?](?=[A-Z][a-z])")
_LEVELS = ((_GLUED, GLUED_SENTENCE), (_CLAUSE, CLAUSE), (_WORD, WORD))
#: A stretch too long for one chunk gets new borders at least 1/16 of a chunk apart.
_FINENESS = 16


class Border(NamedTuple):
    """A place to cut: the next chunk begins at `position`.

    `code` is true if the line that begins there must keep its indentation.
    """

    position: int
    cost: float
    code: bool


class Ruler:
    """Measures stretches of one text in tokens and characters."""

    def __init__(self, text: str, token_starts: npt.NDArray[np.int64]) -> None:
        self.text = text
        self.token_starts = token_starts

    def tokens_before(self, positions: Sequence[int]) -> list[int]:
        """Count the tokens that begin before each position."""
        counts: list[int] = np.searchsorted(self.token_starts, np.asarray(positions)).tolist()
        return counts

    def tokens(self, start: int, end: int) -> int:
        """Count the tokens that begin in `text[start:end]`."""
        first, last = self.tokens_before([start, end])
        return last - first

    def token_start(self, index: int) -> int:
        """Return the position of a token; for an index out of range, the nearer end of the text."""
        if index < 0:
            return 0
        return int(self.token_starts[index]) if index < len(self.token_starts) else len(self.text)


class Limits(NamedTuple):
    """The most that one chunk may hold."""

    tokens: int
    characters: int

    def hold(self, ruler: Ruler, start: int, end: int) -> bool:
        """Tell whether `text[start:end]` fits."""
        return end - start <= self.characters and ruler.tokens(start, end) <= self.tokens


def source_borders(text: str) -> list[Border]:
    """Return the borders of a source file, first and last included."""
    inner = (Border(position, cost, True) for position, cost in code_borders(text, 0, len(text)))
    return [Border(0, 0.0, True), *inner, Border(len(text), 0.0, True)]


def prose_borders(text: str, fits: Callable[[int, int], bool]) -> list[Border]:
    """Return the borders of markdown or plain text, first and last included.

    Args:
        text: A cleaned text.
        fits: Whether `text[start:end]` fits into one chunk; if so, a code block is costly to cut.
    """
    borders = [Border(0, 0.0, False)]
    above: Block | None = None
    for block in split_blocks(text):
        if above is None:
            borders[0] = Border(0, 0.0, block.kind.is_code)
        else:
            borders.append(Border(block.start, _cost(text, above, block), block.kind.is_code))
        borders.extend(_inside(text, block, fits))
        above = block
    borders.append(Border(len(text), 0.0, False))
    return borders


def _cost(text: str, above: Block, block: Block) -> float:
    if above.kind is Kind.HEADING:
        return AFTER_HEADING
    if block.kind is Kind.HEADING:
        return BEFORE_HEADING
    if block.kind is Kind.LIST_ITEM and above.kind is Kind.LIST_ITEM:
        return BETWEEN_ITEMS
    if text[max(0, above.end - 3) : above.end].rstrip("*_ ").endswith(":"):
        return AFTER_COLON
    return BEFORE_LIST if block.kind is Kind.LIST_ITEM else BETWEEN_BLOCKS


def _inside(text: str, block: Block, fits: Callable[[int, int], bool]) -> Iterator[Border]:
    if block.kind in (Kind.PROSE, Kind.LIST_ITEM):
        for start, _ in split_sentences(text[block.start : block.end])[1:]:
            yield Border(block.start + start, SENTENCE, False)
    elif block.kind is Kind.TABLE:
        position = block.start
        for row, line in enumerate(split_lines(text[block.start : block.end])[:-1]):
            position += len(line)
            yield Border(position, TABLE_ROW if row else AFTER_TABLE_HEADER, False)
    elif block.kind.is_code:
        whole = IN_FITTING_BLOCK if fits(block.start, block.end) else IN_CODE_BLOCK
        inner = code_borders(text, block.start, block.end)
        for index, (position, cost) in enumerate(inner):
            fence = block.kind is Kind.FENCED and index in (0, len(inner) - 1)
            yield Border(position, whole + (AFTER_FENCE if fence else cost), True)


def refine_borders(borders: Sequence[Border], ruler: Ruler, limits: Limits) -> list[Border]:
    """Add borders between borders that are too far apart: at clauses, at words, then anywhere.

    A border with only white space between it and the next one is dropped.
    """
    text = ruler.text
    solid = [
        border
        for border, following in pairwise(borders)
        if solid_start(text, border.position) < following.position
    ]
    ends = [solid_end(text, border.position) for border in [*solid[1:], borders[-1]]]
    counts = ruler.tokens_before([border.position for border in solid])
    refined: list[Border] = []
    for border, count, end, tokens in zip(
        solid, counts, ends, ruler.tokens_before(ends), strict=True
    ):
        refined.append(border)
        if end - border.position > limits.characters or tokens - count > limits.tokens:
            refined.extend(_cut(border.position, end, ruler, limits))
    refined.append(borders[-1])
    return refined


def _cut(start: int, end: int, ruler: Ruler, limits: Limits) -> list[Border]:
    stretches = [(solid_start(ruler.text, start), end)]
    found: list[Border] = []
    for pattern, cost in _LEVELS:
        remaining: list[tuple[int, int]] = []
        for first, last in stretches:
            places = (match.end() for match in pattern.finditer(ruler.text, first, last))
            cuts = _spread(first, last, places, ruler, limits)
            found.extend(Border(cut, cost, False) for cut in cuts)
            edges = [first, *cuts, last]
            pairs = pairwise(edges)
            remaining.extend(pair for pair in pairs if not limits.hold(ruler, *pair))
        stretches = remaining
    for first, last in stretches:
        found.extend(
            Border(cut, ANYWHERE, False) for cut in _cut_anywhere(first, last, ruler, limits)
        )
    return sorted(found)


def _spread(
    first: int, last: int, places: Iterable[int], ruler: Ruler, limits: Limits
) -> list[int]:
    """Keep only places that are far enough apart, so that the time for packing stays linear."""
    positions = list(places)
    counts = ruler.tokens_before([first, *positions])
    kept: list[int] = []
    place, count = first, counts[0]
    for position, tokens in zip(positions, counts[1:], strict=True):
        far = (tokens - count) * _FINENESS >= limits.tokens
        if far or (position - place) * _FINENESS >= limits.characters:
            kept.append(position)
            place, count = position, tokens
    return [position for position in kept if first < position < last]


def _cut_anywhere(first: int, last: int, ruler: Ruler, limits: Limits) -> Iterator[int]:
    text = ruler.text
    tokens = max(1, limits.tokens // _FINENESS)
    characters = max(1, limits.characters // _FINENESS)
    position = solid_start(text, first)
    while True:
        index = bisect.bisect_left(ruler.token_starts, position) + tokens
        following = max(position + 1, min(ruler.token_start(index), position + characters))
        if limits.tokens > 1:
            # With a limit of one token, even a visible character may have to be split.
            following = whole_character(text, min(following, last), position)
        position = solid_start(text, following)
        if position >= last:
            return
        yield position


def solid_start(text: str, position: int) -> int:
    """Return the position of the first visible character at or after `position`."""
    match = _SOLID.search(text, position)
    return match.start() if match else len(text)


def solid_end(text: str, position: int) -> int:
    """Return the position just past the last visible character before `position`."""
    while position > 0 and text[position - 1].isspace():
        position -= 1
    return position
