"""Search rules that both vector stores share: queries, scan or graph, order of hits."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from moodswarm.stores.vectors.points import is_uuid, size_mismatch
from moodswarm.stores.vectors.protocol import Hit

#: If few points meet a filter, these points are scanned: in a search through an HNSW graph, recall
#: falls silently under a narrow filter (0.57 was measured when a tenth of 500,000 points met it). A
#: scan takes 0.3 ms per 1,000 points that meet the filter, so under a wide filter, where recall
#: stays 1.0, the graph is used.
_SCAN_POINTS = 50_000
_WIDE_FILTER = 0.3


def query_vector(name: str, dimensions: int | None, vector: npt.NDArray[np.float32]) -> list[float]:
    """Check that a query fits a collection, and return it in the engines' form."""
    if dimensions is None or vector.shape != (dimensions,):
        found = int(vector.shape[-1]) if vector.ndim else 1
        raise size_mismatch(name, found=found, expected=dimensions)
    if not np.isfinite(vector).all():
        raise ValueError(f"search in {name!r}: the query holds a number that is not finite")
    query: list[float] = vector.astype(np.float32).tolist()
    return query


def payload_of(fields: Sequence[str] | None) -> bool | list[str]:
    """Return the fields to read in the engines' form: True means all of them, False means none."""
    return True if fields is None else list(fields) or False


def uuids_among(values: list[str]) -> list[str]:
    """Return the values that can be ids of points; no point can have one of the rest as its id."""
    return [value for value in values if is_uuid(value)]


def filter_needs_scan(meeting: int, points: int) -> bool:
    """Tell whether to scan, given how many points meet a filter and how many there are in all."""
    return meeting < min(_SCAN_POINTS, _WIDE_FILTER * points)


def nearest(k: int, ask: Callable[[int], list[Hit]]) -> list[Hit]:
    """Return the k best hits, ties ordered by id, whatever order the engine puts ties in.

    Chunks with the same text have the same score. If such a tie straddles the k-th place, more
    hits are requested until the whole tie is seen. Which of the tied hits are cut off then does not
    depend on chance.

    Args:
        k: Number of hits to return; if it is zero or less, none are returned.
        ask: Takes a number and returns that many of the nearest points, best first, or fewer if
            there are not enough.
    """
    if k <= 0:
        return []
    limit = k + 1
    hits = ask(limit)
    while len(hits) == limit and hits[-1].score == hits[k - 1].score:
        limit *= 2
        hits = ask(limit)
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:k]
