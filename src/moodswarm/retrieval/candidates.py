"""Candidates: the ranked hits that pass from stage to stage of one retrieval."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from moodswarm.stores.vectors.protocol import Hit, VectorStore


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ranked hit.

    Attributes:
        hit: The hit, with the score from the last stage.
        scores: The scores that the hit got from the stages, by the name of the stage.
    """

    hit: Hit
    scores: dict[str, float]


class EachTextOnce:
    """Candidates without those that repeat an earlier one word for word.

    A text that was published twice is in several documents. Its copies would take the places of
    passages that say something else.

    Attributes:
        left_out: How many copies have been left out so far.

    Args:
        ranked: The candidates, best first.
    """

    def __init__(self, ranked: Iterable[Candidate]) -> None:
        self.left_out = 0
        self._ranked = ranked

    def __iter__(self) -> Iterator[Candidate]:
        seen: set[str] = set()
        for candidate in self._ranked:
            text = " ".join(str(candidate.hit.payload.get("text", "")).split())
            if text and text in seen:
                self.left_out += 1
                continue
            seen.add(text)
            yield candidate


def with_payloads(store: VectorStore, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Read the payloads of candidates; chunks that were deleted in the meantime are left out.

    Searches return hits without payloads: with 100,000 chunks, reading only the payloads that are
    needed halves the time of a search.

    Args:
        store: The store in which the hits were found.
        candidates: The candidates; their order is kept.

    Raises:
        StoreError: the store cannot be read.
    """
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for candidate in candidates:
        ids[candidate.hit.collection].append(candidate.hit.id)
    payloads = {
        row.pop("id"): row
        for name, wanted in ids.items()
        for page in store.scroll(name, match={"id": wanted})
        for row in page
    }
    return (
        replace(candidate, hit=replace(candidate.hit, payload=payloads[candidate.hit.id]))
        for candidate in candidates
        if candidate.hit.id in payloads
    )
