"""The vector store: collections of points, embedded (Qdrant Edge) or on a Qdrant server.

A narrow protocol. `open_vector_store` in `opening.py` chooses the implementation; one contract
suite (`tests/contracts/test_vector_*.py`, `test_lexical_search.py`) runs over all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from moodswarm.records.sparse import SparseVector
from moodswarm.stores.status import StoreStatus


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `since` on and before `until`, both aware; a field that is not there is outside."""

    since: datetime | None = None
    until: datetime | None = None


#: Condition on payloads: for every field, the value is one of those given (all text or all whole
#: numbers), or lies in the range.
Match = Mapping[str, Sequence[str] | Sequence[int] | TimeRange]


def check_match(match: Match | None) -> Match:
    """Refuse conditions that the engines would misread; None meets every point.

    Raises:
        TypeError: a bare string where a list of values belongs, or values that are not all text
            or all whole numbers.
        ValueError: a time without a zone, or a range without an end.
    """
    for field, values in (match or {}).items():
        if isinstance(values, TimeRange):
            _check_range(field, values)
        else:
            _check_values(field, values)
    return match or {}


def _check_values(field: str, values: Sequence[str] | Sequence[int]) -> None:
    if isinstance(values, str):
        raise TypeError(
            f"condition on {field!r}: expected a list of values, found the string {values!r}"
        )
    kinds = {type(value) for value in values}
    if not (kinds <= {str} or (kinds <= {int} and field != "id")):
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(
            f"condition on {field!r}: expected text"
            f"{'' if field == 'id' else ', or whole numbers'}, found {found}"
        )


def _check_range(field: str, times: TimeRange) -> None:
    if times.since is None and times.until is None:
        raise ValueError(f"condition on {field!r}: expected a time range with `since` or `until`")
    for end in (times.since, times.until):
        if end is not None and end.tzinfo is None:
            raise ValueError(
                f"condition on {field!r}: expected times with a zone, found {end.isoformat()}"
            )


@dataclass(frozen=True, slots=True)
class Hit:
    """A point with its score (higher is better) and payload.

    Dense scores are cosine similarities, lexical ones sums of BM25 weights: only scores of one
    search can be compared.
    """

    id: str
    score: float
    collection: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """What `moodswarm collections` shows."""

    name: str
    points: int
    dimensions: int | None
    indexed_vectors: int


class VectorStore(Protocol):
    """Named collections of points: uuid id, optional vectors, JSON payload.

    A point's dense vector is float32 (cosine), its lexical one sparse (inner product, each query
    value times the inverse document frequency of its index in the collection).
    """

    def ensure_collection(
        self,
        name: str,
        dimensions: int | None,
        keyword_fields: Sequence[str] = (),
        *,
        lexical: bool = False,
        time_fields: Sequence[str] = (),
    ) -> None:
        """Create the collection unless it exists.

        Args:
            name: Letters, digits, `_` and `-`.
            dimensions: Vector size; None for a collection of payloads only.
            keyword_fields: Payload fields that filters use; indexed.
            lexical: Whether points have sparse vectors too; one that exists without them gets
                them, its points none.
            time_fields: Payload fields that time ranges use; indexed.

        Raises:
            VectorSizeMismatch: it exists with another vector size.
        """
        ...

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its points; one that does not exist is fine."""
        ...

    def upsert_points(self, name: str, points: pa.Table) -> None:
        """Write points; a point of the same id is replaced.

        Args:
            points: Columns `id`, `vector` (fixed-size list of float32, absent for a collection of
                payloads only), `lexical` (`SPARSE_TYPE`, where the collection has sparse vectors;
                null or empty: the point has none), and the payload: every other column, nulls
                left out, timestamps as ISO 8601 text, maps as objects.
        """
        ...

    def delete_points(self, name: str, match: Match, unless: Match | None = None) -> None:
        """Delete the points that meet `match` and do not meet `unless`.

        A collection that does not exist has none.
        """
        ...

    def search(
        self,
        name: str,
        vector: npt.NDArray[np.float32],
        k: int,
        match: Match | None = None,
        exact: bool | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        """Return the k nearest points, best first, ties by id.

        Args:
            vector: float32 [dim], any norm.
            match: Only points that meet it.
            exact: Scan instead of using the HNSW index; None lets the store choose so that
                recall does not suffer (notes on filters in `docs/stores.md`).
            fields: Payload fields that hits carry; None for all. Reading them is a third of the
                time of a search for 100 points, an empty list spares it.
        """
        ...

    def search_lexical(
        self,
        name: str,
        query: SparseVector,
        k: int,
        match: Match | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        """Return the k points that share the most with the query, best first, ties by id.

        Points that share no index with it are no hits; nor is there one where the query is empty
        or the collection has no sparse vectors.
        """
        ...

    def scroll(
        self,
        name: str,
        *,
        fields: Sequence[str] | None = None,
        match: Match | None = None,
        with_vectors: bool = False,
        page_points: int = 1_000,
    ) -> Iterator[list[dict[str, Any]]]:
        """Stream points ordered by id, a list per page: payload plus `id` (and `vector`).

        A collection that does not exist has none. Points behind the cursor may be changed
        meanwhile.
        """
        ...

    def count(self, name: str, match: Match | None = None) -> int:
        """Count points exactly; 0 where the collection does not exist."""
        ...

    def collections(self) -> list[CollectionStatus]:
        """Return every collection, ordered by name."""
        ...

    def optimize(self, name: str) -> None:
        """Build the index of a collection where it pays; a server does this by itself."""
        ...

    def flush(self) -> None:
        """Make everything written so far survive a crash."""
        ...

    def status(self) -> StoreStatus:
        """Reach the store; counts are points per collection."""
        ...

    def close(self) -> None:
        """Flush and release files and locks; closing twice is fine."""
        ...
