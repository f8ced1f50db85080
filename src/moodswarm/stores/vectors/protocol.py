"""The vector store: collections of points, embedded (Qdrant Edge) or on a Qdrant server.

The protocol is kept narrow. `open_vector_store` in `opening.py` chooses the implementation; each
implementation must pass the same contract suite (`tests/contracts/test_vector_*.py` and
`test_lexical_search.py`).
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
    """Times at or after `since` and before `until`, both with a time zone.

    A point whose payload lacks the field never matches.
    """

    since: datetime | None = None
    until: datetime | None = None


#: A condition on payloads. The value of each field named must be one of the values given for it
#: (all text or all whole numbers), or lie in the time range given for it.
Match = Mapping[str, Sequence[str] | Sequence[int] | TimeRange]


def check_match(match: Match | None) -> Match:
    """Return the condition unless the engines would misread it; None matches every point.

    Raises:
        TypeError: a string was given instead of a list of values, or the values are neither all
            text nor all whole numbers.
        ValueError: a time has no zone, or a range has neither `since` nor `until`.
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

    Dense scores are cosine similarities, and lexical scores are sums of BM25 weights. Only scores
    from the same search can be compared with each other.
    """

    id: str
    score: float
    collection: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """Size of a collection and how much of it is indexed, as `moodswarm collections` shows."""

    name: str
    points: int
    dimensions: int | None
    indexed_vectors: int


class VectorStore(Protocol):
    """Named collections of points, each with a uuid, optional vectors and a JSON payload.

    A point's dense vector is float32 and compared by cosine. Its lexical vector is sparse and
    compared by inner product. For that, each value of the query is multiplied by the inverse
    document frequency that its index has in the collection.
    """

    def open(self) -> None:
        """Wait until the store can be used, so that no later call has to; may be called again.

        Raises:
            StoreLocked: another process holds the embedded store; the message names that process.
        """
        ...

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
            name: Collection name, made of letters, digits, `_` and `-`.
            dimensions: Vector size; None for a collection with payloads only.
            keyword_fields: Payload fields with text that filters use; these fields are indexed.
            lexical: Whether points may have sparse vectors too. An existing collection without
                them is extended; its points have no sparse vectors until they are written again.
            time_fields: Payload fields that time ranges use; these fields are indexed.

        Raises:
            VectorSizeMismatch: the collection exists with another vector size.
        """
        ...

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its points; do nothing if it does not exist."""
        ...

    def upsert_points(self, name: str, points: pa.Table) -> None:
        """Write points; each replaces the stored point with the same id.

        Args:
            points: A table with the column `id`. `vector` is a fixed-size list of float32; it is
                absent for a collection with payloads only. `lexical` is optional and has the type
                `SPARSE_TYPE`; a point whose value there is null or empty has no sparse vector. All
                other columns are the payload: nulls are left out, timestamps become ISO 8601 text,
                and maps become JSON objects.
        """
        ...

    def delete_points(self, name: str, match: Match, unless: Match | None = None) -> None:
        """Delete the points that meet `match` but not `unless`.

        A collection that does not exist counts as empty.
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
        """Return the k nearest points, best first, ties ordered by id.

        Args:
            vector: float32 [dim], of any norm.
            match: Return only points that meet this condition.
            exact: Whether to scan instead of using the HNSW index. With None, the store chooses so
                that recall does not suffer (see the notes on filters in `docs/stores.md`).
            fields: Payload fields to read for the hits; None reads all. Reading payloads takes a
                third of the time of a search for 100 points; an empty list saves that time.
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
        """Return the k points with the highest lexical score, best first, ties ordered by id.

        To be a hit, a point must share at least one index with the query. There are no hits if the
        query is empty or the collection has no sparse vectors.
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
        """Stream points ordered by id, one list per page.

        Each point is a mapping with its payload, its `id` and, on request, its `vector`. A
        collection that does not exist counts as empty. Points already streamed may be changed or
        deleted before the stream ends.
        """
        ...

    def count(self, name: str, match: Match | None = None) -> int:
        """Return the exact number of points; 0 if the collection does not exist."""
        ...

    def collections(self) -> list[CollectionStatus]:
        """Return every collection, ordered by name."""
        ...

    def optimize(self, name: str) -> None:
        """Build the index of a collection that is large enough; a server does this by itself."""
        ...

    def flush(self) -> None:
        """Make everything written so far survive a crash."""
        ...

    def status(self) -> StoreStatus:
        """Connect to the store and count the points of each collection."""
        ...

    def close(self) -> None:
        """Flush, then release files and locks; closing twice is allowed."""
        ...
