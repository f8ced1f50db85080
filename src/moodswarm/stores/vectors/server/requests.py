"""What a server's collection is built with and asked, in the words of qdrant-client."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from moodswarm.stores.errors import StoreError
from moodswarm.stores.vectors.protocol import Match, TimeRange
from moodswarm.stores.vectors.search_policy import uuids_among
from moodswarm.stores.vectors.sparse_points import LEXICAL

if TYPE_CHECKING:
    from qdrant_client import models


def vector_size(found: "models.CollectionInfo") -> int | None:
    """Return the vector size of a collection; None for payloads only."""
    vectors = found.config.params.vectors
    if not vectors:
        return None
    if isinstance(vectors, dict):
        raise StoreError(
            f"a collection has the named vectors {sorted(vectors)}, expected one without a name; "
            "it is another program's: set a `prefix` for this store"
        )
    return vectors.size


def has_lexical(found: "models.CollectionInfo") -> bool:
    """Return whether points of a collection can have sparse vectors."""
    return LEXICAL in (found.config.params.sparse_vectors or {})


def sparse_vector(indices: list[int], values: list[float]) -> "models.SparseVector":
    """Return a sparse vector as the client takes it."""
    from qdrant_client import models

    return models.SparseVector(indices=indices, values=values)


def live_frequencies() -> "models.SearchParams":
    """Count in how many points an index occurs now, without those deleted.

    What the server keeps counts deleted points until it optimizes their segment, so that scores
    would depend on what was done before. Servers before 1.19 do not know this and take theirs.
    """
    from qdrant_client import models

    return models.SearchParams(idf=models.IdfCorpusParams(corpus=models.Filter()))


def filter_of(match: Match, unless: Match | None = None) -> "models.Filter":
    """Meet every field of `match`, and not every field of `unless`."""
    from qdrant_client import models

    exception: list[Any] = [models.Filter(must=_conditions(unless))] if unless else []
    return models.Filter(must=_conditions(match), must_not=exception)


def having_lexical() -> "models.Filter":
    """Meet the points that have a sparse vector."""
    from qdrant_client import models

    return models.Filter(must=[models.HasVectorCondition(has_vector=LEXICAL)])


def _conditions(match: Match) -> list[Any]:
    return [_condition(field, values) for field, values in match.items()]


def _condition(field: str, values: Sequence[str] | Sequence[int] | TimeRange) -> Any:
    """Meet one field; `id` is the point's own."""
    from qdrant_client import models

    if isinstance(values, TimeRange):
        times = models.DatetimeRange(gte=values.since, lt=values.until)
        return models.FieldCondition(key=field, range=times)
    if field == "id":
        return models.HasIdCondition(has_id=list(uuids_among([str(value) for value in values])))
    return models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))  # type: ignore[arg-type]
