"""How both vector stores search: what a query may be, when to scan, and hits in a stable order."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from moodswarm.stores.vectors.points import is_uuid, size_mismatch
from moodswarm.stores.vectors.protocol import Hit

#: A filter that few points meet is answered by a scan of those: recall through an HNSW graph falls
#: silently under a narrow filter (0.57 measured for a tenth of 500,000 points). A scan takes 0.3 ms
#: per 1,000 points that meet it, so a wide filter, with which recall stays 1.0, uses the graph.
_SCAN_POINTS = 50_000
_WIDE_FILTER = 0.3


def query_vector(name: str, dimensions: int | None, vector: npt.NDArray[np.float32]) -> list[float]:
    """Check a query against a collection and return it as the engines take it."""
    if dimensions is None or vector.shape != (dimensions,):
        found = int(vector.shape[-1]) if vector.ndim else 1
        raise size_mismatch(name, found=found, expected=dimensions)
    if not np.isfinite(vector).all():
        raise ValueError(f"search in {name!r}: the query holds a number that is not finite")
    query: list[float] = vector.astype(np.float32).tolist()
    return query


def payload_of(fields: Sequence[str] | None) -> bool | list[str]:
    """Return the fields to read as the engines take them: all for None, none for an empty list."""
    return True if fields is None else list(fields) or False


def uuids_among(values: list[str]) -> list[str]:
    """Keep the values that can be ids: a point never has another."""
    return [value for value in values if is_uuid(value)]


def filter_needs_scan(meeting: int, points: int) -> bool:
    """Decide whether a filter that so many of all points meet is answered by a scan of those."""
    return meeting < min(_SCAN_POINTS, _WIDE_FILTER * points)


def nearest(k: int, ask: Callable[[int], list[Hit]]) -> list[Hit]:
    """Return the k best hits, ties by id, from an engine that orders ties as it likes.

    Chunks with the same text have the same score. Where such a tie straddles the k-th place, ask
    for more until all of it is seen, so that which of them is cut does not depend on chance.

    Args:
        k: Hits wanted; none for zero or less.
        ask: Gives that many of the nearest points, best first, or all there are.
    """
    if k <= 0:
        return []
    limit = k + 1
    hits = ask(limit)
    while len(hits) == limit and hits[-1].score == hits[k - 1].score:
        limit *= 2
        hits = ask(limit)
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:k]
