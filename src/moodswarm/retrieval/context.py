"""The text that a model is given: numbered sources within a budget of tokens."""

import re
from collections.abc import Iterator, Sequence
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

# No passage is cut to less than this: so little text would say next to nothing.
_LEAST_TOKENS = 60
_LEAST_SHARE = 0.1
_MOST_OF_A_SMALL_BUDGET = 0.3
# Titles and links come from outside; this is room for any honest one.
TITLE_CHARACTERS, LINK_CHARACTERS, _DATE_CHARACTERS = 200, 300, 10
# How many passages that do not fit whole are tried before the context is complete.
_TRIED = 2
# A text may have more tokens when cut out than within the whole; so many shorter cuts are tried.
_TRIES = 5

#: The start of a sentence or line, and the place just past its end.
Piece = tuple[int, int]

_SPACE = re.compile(r"\s+")
_ROUGH_TOKEN = re.compile(r"\w{1,4}|[^\w\s]")
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\r\n]*\S[^\r\n]*")


def build_context(passages: Sequence[Passage], max_tokens: int, tokenizer: Tokenizer) -> Context:
    """Number passages as sources, best first, as long as the budget lasts.

    A passage that does not fit whole is cut to the sentences or lines around its hit, if there is
    room for enough of them; smaller passages after it may still fit. Nearly all the time goes into
    tokenizing, so only a few more are tried once one did not fit.

    Args:
        passages: Best first.
        max_tokens: For all sources together, each with its number, heading and text.
        tokenizer: Counts them.

    Returns:
        The sources that fit; `as_text` returns each as it was counted.
    """
    sources: list[Source] = []
    cut: list[int] = []
    left, tries = max_tokens, _TRIED
    for passage in passages:
        source = _source(len(sources) + 1, passage, left, max_tokens, tokenizer)
        if source is not None:
            sources.append(source)
            left -= source.token_count
        if source is None or source.text != passage.text:
            cut += [source.number] if source else []
            tries -= 1
            if not tries:
                break
    return Context(tuple(sources), max_tokens - left, len(passages) - len(sources), tuple(cut))


def context_stage(
    passages: Sequence[Passage], params: ContextParams, embedder: Embedder, trace: Trace
) -> Context:
    """Build the context as the parameters say, and add the stage `context` to the trace.

    Args:
        passages: Best first.
        params: Whether a context is built, and of how many tokens.
        embedder: Its tokenizer counts; where it cannot be loaded, tokens are estimated.
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
        report.detail += f", {len(context.cut)} cut" if context.cut else ""
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
    """Return a value on one line of at most so many characters; `more` ends it where it is cut."""
    text = _SPACE.sub(" ", str(value or "")).strip()
    return text if len(text) <= characters else text[: characters - len(more)].rstrip() + more


def _source(
    number: int, passage: Passage, left: int, max_tokens: int, tokenizer: Tokenizer
) -> Source | None:
    """Return a passage as a source of at most `left` tokens; None where nothing of it fits."""
    line = heading(passage)
    before = as_text(number, line, "")
    least = max(_LEAST_SHARE * max_tokens, min(_LEAST_TOKENS, _MOST_OF_A_SMALL_BUDGET * max_tokens))
    if left <= 0:
        return None
    # A word is at least one token, so a text of more words cannot fit and is not tokenized.
    whole = len(passage.text.split()) <= left
    if not whole and left < least:
        return None
    text, hit = (passage.text, _hit_in(passage)) if whole else _around_hit(passage, left)
    starts = tokenizer.encode([before + text])[0].starts
    if whole and len(starts) <= left:
        return Source(number, passage, text, len(starts), line)
    if left < least:
        return None
    starts = starts - len(before)
    room = left - int(np.searchsorted(starts, 0))
    for pieces in (split_sentences(text), _lines(text)):
        for start, end in islice(_windows(hit, pieces, starts, room), _TRIES):
            tokens = len(tokenizer.encode([before + text[start:end]])[0])
            if tokens <= left:
                return Source(number, passage, text[start:end], tokens, line)
    return None


def _hit_in(passage: Passage) -> Piece:
    """Return where the hit's own text begins and ends in that of its passage."""
    own = str(passage.hit.payload.get("text", ""))
    start = max(0, passage.text.find(own))
    return start, start + len(own)


def _around_hit(passage: Passage, words: int) -> tuple[str, Piece]:
    """Return the text within so many words of the hit's beginning, and where the hit is in it."""
    start, end = _hit_in(passage)
    earlier = [word.start() for word in _WORD.finditer(passage.text, 0, start)][-words:]
    low = earlier[0] if earlier else start
    later = list(islice(_WORD.finditer(passage.text, start), words))
    high = later[-1].end() if later else len(passage.text)
    return passage.text[low:high], (start - low, min(end, high) - low)


def _windows(
    hit: Piece, pieces: Sequence[Piece], starts: npt.NDArray[np.int64], room: int
) -> Iterator[Piece]:
    """Yield slices of whole pieces around the hit, the largest that may fit first.

    The hit's own pieces come first, from its beginning on; then those after and before it in turn.

    Args:
        hit: Where it begins and ends.
        pieces: Sentences or lines, in order.
        starts: int64 [n_tokens], where the tokens of the whole begin. Those of a slice may be a
            few more, as a token may become two where the text is cut.
        room: Tokens that a slice may have.
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
    """Counts a token for every four characters of a word, and for every other sign.

    It is used where no model's tokenizer can be loaded, and counts more tokens than they do in
    most languages.
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
