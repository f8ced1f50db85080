"""Cut documents into chunks that the embedding model can read in full.

Chunks are slices of the text. Each kind of document has its own chunk size. The model's limit,
special tokens included, takes precedence and is checked on every chunk with the model's tokenizer.
"""

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from moodswarm.records import KINDS
from moodswarm.records.tokens import Encoding, Tokenizer
from moodswarm.text.borders import (
    Border,
    Limits,
    Ruler,
    prose_borders,
    refine_borders,
    solid_end,
    solid_start,
    source_borders,
)
from moodswarm.text.chunking_parameters import CharacterSize, ChunkingParams, TokenSize
from moodswarm.text.packing import Stretch, pack, thin

__all__ = ["CharacterSize", "ChunkingParams", "Span", "TokenSize", "chunk_text", "chunk_texts"]

# Tokens alone do not bound a chunk's length: an unbroken string of any length can be one unknown
# token, and white space is not a token at all.
_MOST_CHARACTERS_PER_TOKEN = 16
_PAGE_CHARACTERS = 50_000
_PROSE_SUFFIXES = (".md", ".markdown", ".mdx", ".rst", ".txt", ".ipynb")
_WORD_START = re.compile(r"(?<=\s)\S")


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk of a text, `text[start:end]`; offsets are in code points.

    Attributes:
        start: Where the chunk begins; in source code, before the indentation of its first line.
        end: The position just past its last character.
        token_count: Tokens that the model reads, special tokens included.
        unknown_tokens: Tokens that are not in the vocabulary.
    """

    start: int
    end: int
    token_count: int
    unknown_tokens: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """Sizes and limits of the chunks of one document."""

    limits: Limits
    full_characters: int
    overlap_tokens: int
    overlap_characters: int


@dataclass(frozen=True, slots=True)
class _Draft:
    """A chunk whose tokens are not counted yet; without overlap it would begin at `own`."""

    start: int
    own: int
    end: int


def chunk_text(
    text: str,
    kind: str,
    params: ChunkingParams,
    tokenizer: Tokenizer,
    path: str | None = None,
) -> list[Span]:
    """Cut one cleaned text into chunks.

    Every character that is not white space is in some chunk, starts and ends increase, and no
    chunk is over `tokenizer.max_tokens`. If that limit is below the configured size, the overlap
    is scaled down with it.

    Args:
        text: Cleaned text; if it is only white space, there are no chunks.
        kind: One of `records.KINDS`.
        params: Chunk sizes.
        tokenizer: The embedding model's own tokenizer.
        path: Path of a repository file, which tells documentation from source code.

    Raises:
        ValueError: the kind is unknown, or the limit is so low that one character exceeds it.
    """
    return chunk_texts([text], [kind], [path], params, tokenizer)[0]


def chunk_texts(
    texts: Sequence[str],
    kinds: Sequence[str],
    paths: Sequence[str | None],
    params: ChunkingParams,
    tokenizer: Tokenizer,
) -> list[list[Span]]:
    """Cut many texts as `chunk_text` cuts one, with two tokenizer calls for all of them."""
    plans = {kind: _plan(kind, params, tokenizer) for kind in set(kinds)}
    rulers = _measure(texts, tokenizer)
    drafts = [
        _draft(ruler, plans[kind], _is_source(kind, path))
        for ruler, kind, path in zip(rulers, kinds, paths, strict=True)
    ]
    slices = [
        text[draft.start : draft.end]
        for text, document in zip(texts, drafts, strict=True)
        for draft in document
    ]
    counted = iter(tokenizer.encode(slices))
    return [
        _settle(text, document, islice(counted, len(document)), plans[kind], tokenizer)
        for text, kind, document in zip(texts, kinds, drafts, strict=True)
    ]


def _plan(kind: str, params: ChunkingParams, tokenizer: Tokenizer) -> _Plan:
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; expected one of {', '.join(KINDS)}")
    room = tokenizer.max_tokens - tokenizer.special_tokens
    if room < 1:
        raise ValueError(
            f"tokenizer.max_tokens is {tokenizer.max_tokens}, which leaves no room beside "
            f"{tokenizer.special_tokens} special tokens. Use a higher max_tokens."
        )
    size: TokenSize | CharacterSize = getattr(params, kind)
    if isinstance(size, CharacterSize):
        limits = Limits(room, size.max_characters)
        return _Plan(limits, size.min_characters, room, size.overlap)
    tokens = min(size.size, room)
    overlap = size.overlap * tokens // size.size
    characters = tokens * _MOST_CHARACTERS_PER_TOKEN
    return _Plan(
        Limits(tokens, characters), characters, overlap, overlap * _MOST_CHARACTERS_PER_TOKEN
    )


def _is_source(kind: str, path: str | None) -> bool:
    return kind == "repository" and not (path or "").lower().endswith(_PROSE_SUFFIXES)


def _measure(texts: Sequence[str], tokenizer: Tokenizer) -> list[Ruler]:
    """Tokenize texts in pages, so that a long text needs no more memory at a time than a page."""
    pages = [(index, *page) for index, text in enumerate(texts) for page in _pages(text)]
    encodings = tokenizer.encode([texts[index][start:end] for index, start, end in pages])
    starts: list[list[npt.NDArray[np.int64]]] = [[] for _ in texts]
    for (index, start, _), encoding in zip(pages, encodings, strict=True):
        starts[index].append(encoding.starts + start)
    empty = np.empty(0, dtype=np.int64)
    return [
        Ruler(text, np.concatenate(parts) if parts else empty)
        for text, parts in zip(texts, starts, strict=True)
    ]


def _pages(text: str) -> list[tuple[int, int]]:
    pages = []
    start = 0
    while start < len(text):
        end = start + _PAGE_CHARACTERS
        if end < len(text):
            middle = start + _PAGE_CHARACTERS // 2
            end = max(text.rfind("\n", middle, end), text.rfind(" ", middle, end)) + 1 or end
        pages.append((start, min(end, len(text))))
        start = end
    return pages


def _draft(ruler: Ruler, plan: _Plan, source: bool) -> list[_Draft]:
    text = ruler.text
    if not text or text.isspace():
        return []

    def fits(start: int, end: int) -> bool:
        return plan.limits.hold(ruler, start, end)

    borders = source_borders(text) if source else prose_borders(text, fits)
    return _pack(refine_borders(borders, ruler, plan.limits), ruler, plan)


def _pack(borders: list[Border], ruler: Ruler, plan: _Plan) -> list[_Draft]:
    """Choose the best borders and turn the stretches between them into chunks."""
    text, every = ruler.text, [border.position for border in borders]
    costs = [border.cost for border in borders]
    chosen = thin(costs, ruler.tokens_before(every), every, *plan.limits)
    kept = [borders[index] for index in chosen]
    own = [_begin(text, border) for border in kept]
    ends = [0] + [solid_end(text, border.position) for border in kept[1:]]
    starts = own[:1] + _overlap_starts(kept[1:], own[1:], borders, ruler, plan)
    stretch = Stretch(
        costs=[border.cost for border in kept],
        tokens_from=ruler.tokens_before(starts),
        tokens_to=ruler.tokens_before(ends),
        characters_from=starts,
        characters_to=ends,
    )
    pairs = pack(stretch, *plan.limits, plan.full_characters)
    return [_Draft(starts[begin], own[begin], ends[end]) for begin, end in pairs]


def _begin(text: str, border: Border) -> int:
    """Return where a chunk begins: after white space or, in code, at the start of a line."""
    position = border.position
    solid = solid_start(text, position)
    if not border.code:
        return solid
    line = max(text.rfind("\n", position, solid), text.rfind("\r", position, solid)) + 1
    if line:
        return line
    return position if position == 0 or text[position - 1] in "\r\n" else solid


def _overlap_starts(
    kept: list[Border], own: list[int], borders: list[Border], ruler: Ruler, plan: _Plan
) -> list[int]:
    """Return where chunks start once the overlap with the chunk before is added to `own`.

    A chunk starts at the farthest border that the overlap allows or, failing that, at a word.
    """
    positions = [border.position for border in kept]
    if not plan.overlap_characters:
        return list(own)
    counts = ruler.tokens_before(positions)
    lowest = [
        max(position - plan.overlap_characters, ruler.token_start(count - plan.overlap_tokens), 0)
        for position, count in zip(positions, counts, strict=True)
    ]
    every = [border.position for border in borders]
    starts: list[int] = []
    for position, begin, low in zip(positions, own, lowest, strict=True):
        nearest = borders[bisect.bisect_left(every, low)]
        if nearest.position < position:
            starts.append(_begin(ruler.text, nearest))
        else:
            word = _WORD_START.search(ruler.text, low, position)
            starts.append(word.start() if word else begin)
    return starts


def _settle(
    text: str,
    drafts: Sequence[_Draft],
    encodings: Iterable[Encoding],
    plan: _Plan,
    tokenizer: Tokenizer,
) -> list[Span]:
    """Turn drafts with counted tokens into chunks; cut drafts that are over the limit again.

    A draft is counted by itself here: cut out of its text, it can have more tokens than it had
    there. Its overlap is dropped if the overlap makes it too long or makes it start no later than
    the chunk before.
    """
    spans: list[Span] = []
    for draft, counted in zip(drafts, encodings, strict=True):
        start, encoding = draft.start, counted
        inside = bool(spans) and start <= spans[-1].start
        if start < draft.own and (inside or len(encoding) > plan.limits.tokens):
            start = draft.own
            encoding = tokenizer.encode([text[start : draft.end]])[0]
        if len(encoding) <= plan.limits.tokens:
            spans.append(_span(start, draft.end, encoding, tokenizer))
        else:
            spans.extend(_cut_again(text, start, draft.end, plan, tokenizer))
    return spans


def _span(start: int, end: int, encoding: Encoding, tokenizer: Tokenizer) -> Span:
    return Span(start, end, len(encoding) + tokenizer.special_tokens, encoding.unknown)


def _cut_again(text: str, start: int, end: int, plan: _Plan, tokenizer: Tokenizer) -> list[Span]:
    """Cut a chunk that has more tokens by itself than it had inside its text."""
    piece = text[start:end]
    ruler = _measure([piece], tokenizer)[0]
    borders = [Border(0, 0.0, True), Border(len(piece), 0.0, False)]
    tokens = plan.limits.tokens
    # Parts get smaller until each of them, counted alone as the model will do, is within the limit.
    while tokens > 1:
        tokens = tokens * 3 // 4
        limits = Limits(tokens, plan.limits.characters)
        tighter = _Plan(limits, plan.full_characters, 0, 0)
        drafts = _pack(refine_borders(borders, ruler, limits), ruler, tighter)
        encodings = tokenizer.encode([piece[d.start : d.end] for d in drafts])
        if all(len(encoding) <= plan.limits.tokens for encoding in encodings):
            return [
                _span(start + d.start, start + d.end, encoding, tokenizer)
                for d, encoding in zip(drafts, encodings, strict=True)
            ]
    raise ValueError(
        f"{piece[:40]!r} cannot be cut into pieces of at most {plan.limits.tokens} tokens. "
        "Use a tokenizer with a higher max_tokens, or larger chunks."
    )
