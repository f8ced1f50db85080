"""Builds the text that a model is given: numbered sources within a token budget."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from moodswarm.models.embedder import Embedder
from moodswarm.models.errors import ModelError
from moodswarm.records.tokens import Encoding, Tokenizer
from moodswarm.retrieval.parameters import ContextParams
from moodswarm.retrieval.passage import Context, Passage, Source
from moodswarm.retrieval.trace import Trace
from moodswarm.text.sentences import split_sentences

# No passage is cut to fewer tokens than this, as so little text would say next to nothing.
_LEAST_TOKENS = 60
_LEAST_SHARE = 0.1
_MOST_OF_A_SMALL_BUDGET = 0.3
# Titles and links come from outside; these lengths have room for any honest one.
TITLE_CHARACTERS, LINK_CHARACTERS, _DATE_CHARACTERS = 200, 300, 10
# After how many passages that do not fit whole the context counts as complete.
_TRIED = 2
# How many ever shorter cuts are tried, as a text may have more tokens alone than within the whole.
_TRIES = 5

#: The start of a sentence or line, and the place just past its end.
Piece = tuple[int, int]

_SPACE = re.compile(r"\s+")
_ROUGH_TOKEN = re.compile(r"\w{1,4}|[^\w\s]")
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\r\n]*\S[^\r\n]*")


def build_context(passages: Sequence[Passage], max_tokens: int, tokenizer: Tokenizer) -> Context:
    """Number passages as sources, best first, as long as the budget lasts.

    The budget goes to the best hit of every passage first, then to the other hits in the passages,
    and what is left is shared out among the neighbours. A hit that does not fit whole is cut to its
    first sentences or lines, if there is room for enough of them; smaller hits after it may still
    fit. Nearly all the time goes into tokenizing, so only a few more hits are tried once one did
    not fit.

    Args:
        passages: The passages, best first.
        max_tokens: The budget for all sources together, each with its number, heading and text.
        tokenizer: The tokenizer that counts tokens.

    Returns:
        The sources that fit; `as_text` returns each as it was counted.
    """
    parts = _hits_alone(passages, max_tokens, tokenizer)
    left = max_tokens - sum(part.source.token_count for part in parts)
    left = _with_other_hits(parts, left, tokenizer)
    left = _with_neighbours(parts, left, tokenizer)
    sources = tuple(part.source for part in parts)
    cut = tuple(source.number for source in sources if source.text != source.passage.text)
    return Context(sources, max_tokens - left, len(passages) - len(sources), cut)


@dataclass(slots=True)
class _Part:
    """A source, and where its text begins and ends in the text of its passage."""

    source: Source
    place: Piece

    def widen(self, within: Piece, tokens: int, tokenizer: Tokenizer) -> int:
        """Widen the text inside `within` by at most `tokens`; return how many tokens were added."""
        source = self.source
        room = source.token_count + tokens
        wider = _part(source.number, source.passage, within, self.place, room, tokenizer)
        if wider is None or wider.place[0] > self.place[0] or wider.place[1] < self.place[1]:
            return 0
        self.source, self.place = wider.source, wider.place
        return wider.source.token_count - source.token_count


def _hits_alone(passages: Sequence[Passage], max_tokens: int, tokenizer: Tokenizer) -> list[_Part]:
    """Return the sources that fit with the text of their best hits alone."""
    least = max(_LEAST_SHARE * max_tokens, min(_LEAST_TOKENS, _MOST_OF_A_SMALL_BUDGET * max_tokens))
    parts: list[_Part] = []
    left, tries = max_tokens, _TRIED
    for passage in passages:
        own = passage.spans()[0]
        part = _part(len(parts) + 1, passage, own, own, left, tokenizer, least)
        if part is not None:
            parts.append(part)
            left -= part.source.token_count
        if part is None or part.place != own:
            tries -= 1
            if not tries:
                break
    return parts


def _with_other_hits(parts: Sequence[_Part], left: int, tokenizer: Tokenizer) -> int:
    """Widen sources to the further hits of their passages; return the tokens that are left."""
    for part in parts:
        for start, end in part.source.passage.spans()[1:]:
            if _whole(part):
                within = (min(start, part.place[0]), max(end, part.place[1]))
                left -= part.widen(within, left, tokenizer)
    return left


def _with_neighbours(parts: Sequence[_Part], left: int, tokenizer: Tokenizer) -> int:
    """Share tokens evenly among sources; return how many are left.

    Sources with little text to add come first, so that the rest can share what they do not need.
    """
    whole = sorted(filter(_whole, parts), key=lambda part: _missing(part.source))
    for count, part in zip(range(len(whole), 0, -1), whole, strict=True):
        if _missing(part.source):
            within = (0, len(part.source.passage.text))
            left -= part.widen(within, left // count, tokenizer)
    return left


def _whole(part: _Part) -> bool:
    """Return whether a source holds all of its hit; a source that is cut is not widened."""
    return part.place[1] >= part.source.passage.spans()[0][1]


def _missing(source: Source) -> int:
    return len(source.passage.text) - len(source.text)


def context_stage(
    passages: Sequence[Passage], params: ContextParams, embedder: Embedder, trace: Trace
) -> Context:
    """Build the context as the parameters say, and add the stage `context` to the trace.

    Args:
        passages: The passages, best first.
        params: Whether a context is built, and of how many tokens.
        embedder: The model whose tokenizer counts; if it cannot be loaded, tokens are estimated.
        trace: The trace of the retrieval.
    """
    if not params.enabled:
        trace.note("context", "off")
        return Context((), 0, dropped=len(passages))
    with trace.stage("context") as report:
        tokenizer: Tokenizer
        try:
            tokenizer = embedder.tokenizer
        except ModelError as error:
            tokenizer = RoughTokenizer()
            report.state, report.detail = "degraded", f"{error}; tokens are estimated; "
        context = build_context(passages, params.max_tokens, tokenizer)
        report.detail += f"{len(context.sources)} sources, {context.token_count} tokens"
        if context.cut:
            report.detail += f", cut to fit: {', '.join(map(str, context.cut))}"
        report.detail += f", {context.dropped} left out" if context.dropped else ""
    return context


def as_text(number: int, heading: str, text: str) -> str:
    """Return a source as it is counted: its number and heading, then its text."""
    return f"[{number}] {heading}\n{text}"


def heading(passage: Passage) -> str:
    """Return title, link and date of a passage in one line, whatever characters they hold."""
    payload = passage.hit.payload
    parts = (
        one_line(payload.get("title") or payload.get("path"), TITLE_CHARACTERS),
        one_line(payload.get("link"), LINK_CHARACTERS),
        one_line(payload.get("published_at"), _DATE_CHARACTERS, more=""),
    )
    return " · ".join(filter(None, parts))


def one_line(value: object, characters: int, more: str = "…") -> str:
    """Return a value as one line, cut to that many characters; `more` marks the cut."""
    text = _SPACE.sub(" ", str(value or "")).strip()
    return text if len(text) <= characters else text[: characters - len(more)].rstrip() + more


def _part(
    number: int,
    passage: Passage,
    within: Piece,
    hit: Piece,
    left: int,
    tokenizer: Tokenizer,
    least: float = 0,
) -> _Part | None:
    """Return a part of a passage as a source; None if nothing of it fits.

    Args:
        number: The number of the source.
        passage: The passage.
        within: The largest part that may be taken.
        hit: Where the hit is; if the part has to be smaller, text far from the hit is left out.
        left: The most tokens that the source may have.
        tokenizer: The tokenizer that counts tokens.
        least: With fewer tokens left than this, the part is taken whole or not at all.
    """
    line = heading(passage)
    before = as_text(number, line, "")
    if left <= 0:
        return None
    # A word is at least one token, so a text of more words cannot fit and is not tokenized.
    whole = len(passage.text[slice(*within)].split()) <= left
    if not whole and left < least:
        return None
    low, high = within if whole else _reach(passage.text, within, hit, left)
    text = passage.text[low:high]
    starts = tokenizer.encode([before + text])[0].starts
    if whole and len(starts) <= left:
        return _Part(Source(number, passage, text, len(starts), line), within)
    if left < least:
        return None
    starts = starts - len(before)
    room = left - int(np.searchsorted(starts, 0))
    inner = (hit[0] - low, min(hit[1], high) - low)
    for pieces in (split_sentences(text), _lines(text)):
        for start, end in islice(_windows(inner, pieces, starts, room), _TRIES):
            tokens = len(tokenizer.encode([before + text[start:end]])[0])
            if tokens <= left:
                source = Source(number, passage, text[start:end], tokens, line)
                return _Part(source, (low + start, low + end))
    return None


def _reach(text: str, within: Piece, hit: Piece, words: int) -> Piece:
    """Return the part that lies within `words` words of the hit's beginning."""
    earlier = [word.start() for word in _WORD.finditer(text, within[0], hit[0])][-words:]
    later = list(islice(_WORD.finditer(text, hit[0], within[1]), words))
    return earlier[0] if earlier else hit[0], later[-1].end() if later else within[1]


def _windows(
    hit: Piece, pieces: Sequence[Piece], starts: npt.NDArray[np.int64], room: int
) -> Iterator[Piece]:
    """Yield slices of whole pieces around the hit, the largest that may fit first.

    Slices grow by the hit's own pieces first, from its beginning on; then by the pieces after and
    before it in turn.

    Args:
        hit: Where the hit begins and ends.
        pieces: Sentences or lines, in order.
        starts: Where the tokens of the whole text begin, int64 [n_tokens]. A slice may have a few
            more tokens, as a token may become two where the text is cut.
        room: How many tokens a slice may have.
    """
    last = sum(start < hit[1] for start, _ in pieces)
    low = high = min(sum(end <= hit[0] for _, end in pieces), max(0, len(pieces) - 1))
    windows: list[Piece] = []

    def grow(to_low: int, to_high: int) -> bool:
        nonlocal low, high
        if to_low < 0 or to_high > len(pieces):
            return False
        window = (pieces[to_low][0], pieces[to_high - 1][1])
        first, after = np.searchsorted(starts, window)
        if after - first > room:
            return False
        low, high = to_low, to_high
        windows.append(window)
        return True

    while high < last and (after := grow(low, high + 1)):
        pass
    after = before = high >= last and bool(windows)
    while after or before:
        after = after and grow(low, high + 1)
        before = before and grow(low - 1, high)
    return reversed(windows)


def _lines(text: str) -> list[Piece]:
    return [match.span() for match in _LINE.finditer(text)]


class RoughTokenizer:
    """Counts one token for every four characters of a word, and one for every other sign.

    It is used if no model's tokenizer can be loaded, and in most languages it counts more tokens
    than such a tokenizer would.
    """

    max_tokens = 1_000_000
    special_tokens = 0

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenize texts; order is kept."""
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> Encoding:
        spans = np.array([match.span() for match in _ROUGH_TOKEN.finditer(text)], np.int64)
        spans = spans.reshape(-1, 2)
        return Encoding(spans[:, 0], spans[:, 1], unknown=0)
