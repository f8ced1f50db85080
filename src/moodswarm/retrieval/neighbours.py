"""Hits with the text around them: the chunks before and after each hit in its document.

Chunks of a document may overlap. They are joined by their offsets into its cleaned text, so that
no character appears twice, neither within a passage nor in two passages of one document.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from moodswarm.retrieval.candidates import Candidate
from moodswarm.retrieval.passage import Passage
from moodswarm.stores.vectors.protocol import Hit, VectorStore

_FIELDS = ("document_id", "revision", "position", "start", "end", "text")


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk as a slice of a document: `text == cleaned[start:end]`."""

    position: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """Identifies a document as it was when its chunks were made."""

    collection: str
    document_id: str
    revision: str


#: The chunks of each document, by their position in it.
Chunks = Mapping[DocumentKey, Mapping[int, Span]]
#: A function that reads the chunks around hits.
Fetch = Callable[[Sequence[Hit]], Chunks]


def own_texts(ranked: Iterable[Candidate], k: int) -> list[Passage]:
    """Return the first k candidates as passages of their own text."""
    return [_Draft(candidate).passage() for candidate in islice(ranked, k)]


def with_neighbours(
    ranked: Iterable[Candidate], k: int, before: int, after: int, fetch: Fetch
) -> list[Passage]:
    """Widen hits by their neighbours; where two become one, further hits fill the places up to k.

    Args:
        ranked: The candidates, best first; no more are taken than are needed.
        k: The largest number of passages to return.
        before: How many chunks to add before each hit.
        after: How many chunks to add after each hit.
        fetch: A function that returns the chunks before and after given hits, and perhaps others.

    Returns:
        The passages in the order of their best hits, whose ids they keep. No two passages share
        characters of a document.
    """
    drafts: list[_Draft] = []
    outside = (candidate for candidate in ranked if not _join_others(candidate.hit, drafts))
    while len(drafts) < k and (batch := list(islice(outside, k))):
        chunks = fetch([candidate.hit for candidate in batch])
        for candidate in batch:
            if len(drafts) < k:
                _place(_Draft(candidate, chunks, before, after), drafts)
    return [draft.passage() for draft in drafts]


def neighbours_in(store: VectorStore, before: int, after: int) -> Fetch:
    """Return a function that reads neighbours from a store, with one scroll per collection."""

    def fetch(hits: Sequence[Hit]) -> Chunks:
        found: defaultdict[DocumentKey, dict[int, Span]] = defaultdict(dict)
        for name in dict.fromkeys(hit.collection for hit in hits):
            match = _around([hit for hit in hits if hit.collection == name], before, after)
            for page in store.scroll(name, fields=_FIELDS, match=match) if match else ():
                for row in page:
                    if (key := _key(name, row)) and (span := _span(row)):
                        found[key][span.position] = span
        return found

    return fetch


def join(spans: Iterable[Span]) -> str:
    """Join chunks of a document by their offsets, in order of position.

    Text that two chunks share appears once. Where characters between two chunks are missing (white
    space, which no chunk keeps at its ends), a line break stands in for them.
    """
    parts: list[str] = []
    end: int | None = None
    for span in spans:
        if end is None or span.start == end:
            parts.append(span.text)
        elif span.start > end:
            parts.append("\n" + span.text)
        else:
            parts.append(span.text[end - span.start :])
        end = span.end if end is None else max(end, span.end)
    return "".join(parts)


class _Draft:
    """A passage that may still grow.

    A hit whose payload does not say where it stands in its document keeps its own text.
    """

    def __init__(
        self, best: Candidate, chunks: Chunks | None = None, before: int = 0, after: int = 0
    ) -> None:
        self.best = best
        self.key = _key(best.hit.collection, best.hit.payload)
        self.others: list[Hit] = []
        self.spans: dict[int, Span] = {}
        if own := _span(best.hit.payload):
            near = (chunks or {}).get(self.key, {}) if self.key else {}
            places = range(own.position - before, own.position + after + 1)
            self.spans = {p: near[p] for p in places if p in near} | {own.position: own}

    @property
    def start(self) -> int:
        return min(span.start for span in self.spans.values())

    @property
    def end(self) -> int:
        return max(span.end for span in self.spans.values())

    def overlaps(self, other: "_Draft") -> bool:
        """Return whether both passages share characters of a document."""
        if self.key is None or self.key != other.key or not (self.spans and other.spans):
            return False
        return self.start < other.end and other.start < self.end

    def passage(self) -> Passage:
        ordered = [self.spans[position] for position in sorted(self.spans)]
        hit = self.best.hit
        text = join(ordered) if ordered else str(hit.payload.get("text", ""))
        positions = tuple(sorted(self.spans))
        return Passage(hit, text, positions, self.best.scores, tuple(self.others))


def _place(draft: _Draft, drafts: list[_Draft]) -> None:
    """Add a passage, or merge it and all the passages that it overlaps into the best of them."""
    same = [other for other in drafts if other.overlaps(draft)]
    if not same:
        drafts.append(draft)
        return
    best, *others = same
    for other in (*others, draft):
        best.spans |= other.spans
        best.others += (other.best.hit, *other.others)
    drafts[:] = [other for other in drafts if other not in others]


def _join_others(hit: Hit, drafts: Sequence[_Draft]) -> bool:
    """Add a hit to the passage that already holds its chunk; return False if no passage does."""
    key, span = _key(hit.collection, hit.payload), _span(hit.payload)
    if key is None or span is None:
        return False
    for draft in drafts:
        near = draft.spans and draft.key == key
        if near and draft.start <= span.start and span.end <= draft.end:
            draft.others.append(hit)
            return True
    return False


def _around(hits: Sequence[Hit], before: int, after: int) -> dict[str, Any] | None:
    """Return a condition that all neighbours of the hits meet; some other chunks meet it too."""
    known = [
        (key, span)
        for hit in hits
        if (key := _key("", hit.payload)) and (span := _span(hit.payload))
    ]
    if not known:
        return None
    places = {p for _, s in known for p in range(s.position - before, s.position + after + 1)}
    return {
        "document_id": sorted({key.document_id for key, _ in known}),
        "position": sorted(place for place in places if place >= 0),
    }


def _key(collection: str, payload: Mapping[str, Any]) -> DocumentKey | None:
    document, revision = payload.get("document_id"), payload.get("revision")
    return DocumentKey(collection, document, revision) if document and revision else None


def _span(payload: Mapping[str, Any]) -> Span | None:
    if any(payload.get(name) is None for name in ("position", "start", "end", "text")):
        return None
    return Span(payload["position"], payload["start"], payload["end"], payload["text"])
