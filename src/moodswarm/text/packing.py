"""Choose among many places to cut, so that chunks are few, full and end at good borders.

The choice is the optimum over the whole text, as when TeX breaks a paragraph into lines, so no
tiny remainder is left at the end.

Source: D. E. Knuth and M. F. Plass, Breaking paragraphs into lines (1981), for the method.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# The extra cost of an empty chunk; for other chunks, it is multiplied by the square of their
# unused share.
_SLACK = 0.5
_BUCKETS = 32  # `thin` keeps about this many borders per chunk


@dataclass(frozen=True, slots=True)
class Stretch:
    """Borders of a text and their sizes; the first is the start of the text, the last its end.

    Attributes:
        costs: The cost of a cut at each border, in chunks.
        tokens_from: For a chunk that begins at the border, the tokens of the text before it and
            its overlap; never decreasing.
        tokens_to: For a chunk that ends at the border, the tokens of the text before its end.
        characters_from: The same as `tokens_from`, in characters.
        characters_to: The same as `tokens_to`, in characters.
    """

    costs: Sequence[float]
    tokens_from: Sequence[int]
    tokens_to: Sequence[int]
    characters_from: Sequence[int]
    characters_to: Sequence[int]


def pack(
    stretch: Stretch, max_tokens: int, max_characters: int, full_characters: int
) -> list[tuple[int, int]]:
    """Return the chunks as pairs of border indexes, each beginning where the last one ended.

    Only a chunk that reaches from one border to the very next can be over a limit.

    Args:
        stretch: Borders and sizes.
        max_tokens: Most tokens of a chunk.
        max_characters: Most characters of a chunk.
        full_characters: A chunk with at least this many characters counts as full.
    """
    tokens_from, characters_from = stretch.tokens_from, stretch.characters_from
    per_token, per_character = 1 / max_tokens, 1 / full_characters
    best, back = [0.0], [0]
    lowest = 0
    for end in range(1, len(stretch.costs)):
        tokens, characters = stretch.tokens_to[end], stretch.characters_to[end]
        while lowest < end - 1 and (
            tokens - tokens_from[lowest] > max_tokens
            or characters - characters_from[lowest] > max_characters
        ):
            lowest += 1
        least, chosen = float("inf"), lowest
        for begin in range(lowest, end):
            slack = 1 - max(
                (tokens - tokens_from[begin]) * per_token,
                (characters - characters_from[begin]) * per_character,
            )
            cost = best[begin] + (_SLACK * slack * slack if slack > 0 else 0.0)
            if cost < least:
                least, chosen = cost, begin
        best.append(least + 1 + stretch.costs[end])
        back.append(chosen)
    return _trace(back)


def _trace(back: Sequence[int]) -> list[tuple[int, int]]:
    pairs = []
    end = len(back) - 1
    while end > 0:
        pairs.append((back[end], end))
        end = back[end]
    return pairs[::-1]


def thin(
    costs: Sequence[float],
    tokens: Sequence[int],
    positions: Sequence[int],
    max_tokens: int,
    max_characters: int,
) -> list[int]:
    """Return the indexes of the borders to consider, in order: the cheapest few for each chunk.

    This keeps `pack` linear where borders are dense, such as in a list of one-word lines. If
    dropping borders would leave a gap that no chunk can span, all borders in the gap are kept.
    """
    token_width = max(1, max_tokens // _BUCKETS)
    character_width = max(1, max_characters // _BUCKETS)
    kept = [0]
    bucket = -1
    last = len(costs) - 1
    for index in range(1, last):
        here = tokens[index] // token_width + positions[index] // character_width
        if here != bucket:
            kept.append(index)
            bucket = here
        elif costs[index] < costs[kept[-1]]:
            kept[-1] = index
    if last:
        kept.append(last)
    result: list[int] = []
    for index, following in zip(kept, [*kept[1:], kept[-1]], strict=True):
        result.append(index)
        if (
            tokens[following] - tokens[index] > max_tokens
            or positions[following] - positions[index] > max_characters
        ):
            result.extend(range(index + 1, following))
    return result
