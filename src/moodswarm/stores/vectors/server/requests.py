"""Translates filters and settings for qdrant-client, and reads its collection descriptions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from moodswarm.stores.errors import StoreError
from moodswarm.stores.vectors.protocol import Match, TimeRange
from moodswarm.stores.vectors.search_policy import uuids_among
from moodswarm.stores.vectors.sparse_points import LEXICAL

if TYPE_CHECKING:
    from qdrant_client import models


def vector_size(found: "models.CollectionInfo") -> int | None:
    """Return the vector size of a collection; None if its points have payloads only."""
    vectors = found.config.params.vectors
    if not vectors:
        return None
    if isinstance(vectors, dict):
        raise StoreError(
            f"a collection has the named vectors {sorted(vectors)}, so it belongs to another "
            "program. Set a `prefix` for this store"
        )
    return vectors.size


def has_lexical(found: "models.CollectionInfo") -> bool:
    """Return whether the points of a collection may have sparse vectors."""
    return LEXICAL in (found.config.params.sparse_vectors or {})


def sparse_vector(indices: list[int], values: list[float]) -> "models.SparseVector":
    """Build the client's form of a sparse vector."""
    from qdrant_client import models

    return models.SparseVector(indices=indices, values=values)


def live_frequencies() -> "models.SearchParams":
    """Build search settings that weight words by the number of live points they occur in.

    The server's own counts include deleted points until it optimizes their segment, so with them,
    scores would depend on the history of the collection. Servers before 1.19 ignore this setting
    and use their own counts.
    """
    from qdrant_client import models

    return models.SearchParams(idf=models.IdfCorpusParams(corpus=models.Filter()))


def filter_of(match: Match, unless: Match | None = None) -> "models.Filter":
    """Build a filter for points that meet all of `match`, unless they also meet all of `unless`."""
    from qdrant_client import models

    exception: list[Any] = [models.Filter(must=_conditions(unless))] if unless else []
    return models.Filter(must=_conditions(match), must_not=exception)


def having_lexical() -> "models.Filter":
    """Build a filter for points that have a sparse vector."""
    from qdrant_client import models

    return models.Filter(must=[models.HasVectorCondition(has_vector=LEXICAL)])


def _conditions(match: Match) -> list[Any]:
    return [_condition(field, values) for field, values in match.items()]


def _condition(field: str, values: Sequence[str] | Sequence[int] | TimeRange) -> Any:
    """Build the condition on one field; `id` means the id of the point."""
    from qdrant_client import models

    if isinstance(values, TimeRange):
        times = models.DatetimeRange(gte=values.since, lt=values.until)
        return models.FieldCondition(key=field, range=times)
    if field == "id":
        return models.HasIdCondition(has_id=list(uuids_among([str(value) for value in values])))
    return models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))  # type: ignore[arg-type]
