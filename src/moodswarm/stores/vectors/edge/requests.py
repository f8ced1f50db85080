"""What an embedded collection is built with and asked, in the words of the engine."""

from collections.abc import Sequence
from typing import Any

import qdrant_edge as qe

from moodswarm.stores.vectors.edge.files import Marker
from moodswarm.stores.vectors.protocol import Match, TimeRange
from moodswarm.stores.vectors.search_policy import uuids_among
from moodswarm.stores.vectors.sparse_points import LEXICAL


def shard_config(dimensions: int | None, lexical: bool, index_from: int) -> qe.EdgeConfig:
    """Everything lies in memory-mapped files that the system pages in and out.

    No write-ahead log: it doubles the time and disk of a load, and only what is flushed counts as
    written. int8 beside the vectors, rescored with them, builds the graph of 100,000 points in 44
    CPU seconds instead of 188 and searches it in 0.6 ms instead of 2.5, at the same recall.
    """
    # Until `optimize`, the index of the sparse vectors is in memory all the same, and made from
    # them when the shard is loaded: 1.5 kB and 7 microseconds a point of 76 terms.
    sparse = {LEXICAL: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf, memory=qe.Memory.Cached)}
    if dimensions is None:
        # A shard must have some vector; no point ever has one of these.
        return qe.EdgeConfig(
            sparse_vectors={"text": qe.EdgeSparseVectorParams(), **(sparse if lexical else {})},
            payload_memory=qe.Memory.Cold,
            wal_enabled=False,
        )
    vector_bytes = 4 * dimensions
    return qe.EdgeConfig(
        vectors=qe.EdgeVectorParams(
            size=dimensions, distance=qe.Distance.Cosine, memory=qe.Memory.Cold
        ),
        sparse_vectors=sparse if lexical else None,
        payload_memory=qe.Memory.Cold,
        hnsw_config=qe.HnswIndexConfig(
            m=16, ef_construct=100, full_scan_threshold=10_000, memory=qe.Memory.Cached
        ),
        quantization_config=qe.ScalarQuantizationConfig(
            type=qe.ScalarType.Int8, quantile=0.99, memory=qe.Memory.Cached
        ),
        optimizers=qe.EdgeOptimizersConfig(
            default_segment_number=1, indexing_threshold=max(1, index_from * vector_bytes // 1024)
        ),
        wal_enabled=False,
    )


def scan() -> qe.SearchParams:
    """Every vector that meets the filter, as it was written."""
    return qe.SearchParams(exact=True, quantization=qe.QuantizationSearchParams(ignore=True))


def walk() -> qe.SearchParams:
    """Through the graph, where there is one; ACORN keeps up recall under a narrow filter."""
    return qe.SearchParams(
        hnsw_ef=256,
        quantization=qe.QuantizationSearchParams(rescore=True, oversampling=2.0),
        acorn=qe.AcornSearchParams(enable=True),
    )


def frequencies(*, live: bool) -> qe.SearchParams:
    """Weigh words by how many points they occur in.

    Args:
        live: Count now. What the engine keeps counts deleted points too, until their segment is
            written anew, so that scores would depend on what was done before. Counting takes 1 to
            2.5 ms for 100,000 points, half of a search.
    """
    return qe.SearchParams(idf=qe.IdfParams(corpus=qe.Filter())) if live else qe.SearchParams()


def add_lexical(shard: qe.EdgeShard) -> None:
    """Let points have sparse vectors from now on; doing it again is fine."""
    shard.update(qe.UpdateOperation.create_sparse_vector(LEXICAL, qe.Modifier.Idf))


def index_fields(shard: qe.EdgeShard, marker: Marker) -> None:
    """Index the payload fields that a marker names, also of the points that are there."""
    for fields, kind in (
        (marker.keyword_fields, qe.PayloadSchemaType.Keyword),
        (marker.time_fields, qe.PayloadSchemaType.Datetime),
    ):
        for field in fields:
            shard.update(qe.UpdateOperation.create_field_index(field, kind))


def filter_of(match: Match, unless: Match | None = None) -> qe.Filter:
    """Meet every field of `match`, and not every field of `unless`."""
    exception: list[Any] = [qe.Filter(must=_conditions(unless))] if unless else []
    return qe.Filter(must=_conditions(match), must_not=exception)


def having_lexical() -> qe.Filter:
    """Meet the points that have a sparse vector."""
    return qe.Filter(must=[qe.HasVectorCondition(LEXICAL)])


def _conditions(match: Match) -> list[Any]:
    return [_condition(field, values) for field, values in match.items()]


def _condition(field: str, values: Sequence[str] | Sequence[int] | TimeRange) -> Any:
    """Meet one field; `id` is the point's own."""
    if isinstance(values, TimeRange):
        since = values.since.isoformat() if values.since else None
        until = values.until.isoformat() if values.until else None
        return qe.FieldCondition(field, range=qe.RangeDateTime(gte=since, lt=until))
    if field == "id":
        return qe.HasIdCondition(set(uuids_among([str(value) for value in values])))
    return qe.FieldCondition(field, match=qe.MatchAny(list(values)))  # type: ignore[arg-type]
