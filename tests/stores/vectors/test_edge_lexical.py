"""Sparse vectors in embedded collections outlive upgrades, restarts and optimization."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import qdrant_edge as qe

from contracts.vector_stores import DIM, id_of, points, vectors
from moodswarm.records.sparse import SPARSE_TYPE, SparseVector
from moodswarm.stores.vectors.edge.requests import add_lexical
from moodswarm.stores.vectors.edge.store import EdgeVectorStore
from moodswarm.stores.vectors.protocol import Hit

INDEX_FROM = 500
ASKED = SparseVector((7, 8), (1.0, 1.0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


@pytest.fixture
def store(path: Path) -> Iterator[EdgeVectorStore]:
    store = EdgeVectorStore(path, lock_timeout=0, index_from=INDEX_FROM)
    yield store
    store.close()


def lexical_points(count: int, first: int = 0) -> pa.Table:
    """Build points; every third has index 7, and every tenth has index 8."""
    rows = []
    for n in range(first, first + count):
        indices = [i for i, step in ((7, 3), (8, 10), (2**32 - 1, 1)) if n % step == 0]
        rows.append({"indices": indices, "values": [1.0 + n % 7] * len(indices)})
    return points(vectors(count, seed=first), first, lexical=pa.array(rows, SPARSE_TYPE))


def fill(store: EdgeVectorStore, count: int) -> None:
    store.ensure_collection("articles", DIM, ["digit"], lexical=True)
    store.upsert_points("articles", lexical_points(count))


def found(store: EdgeVectorStore, k: int = 50) -> list[tuple[str, float]]:
    hits: list[Hit] = store.search_lexical("articles", ASKED, k)
    return [(hit.id, pytest.approx(hit.score, rel=1e-5)) for hit in hits]


def earlier_version(path: Path, count: int, optimized: bool = False) -> Path:
    """Create a collection as the version without sparse vectors did; return its folder."""
    folder = path / "collections" / "articles"
    folder.mkdir(parents=True)
    config = qe.EdgeConfig(
        vectors=qe.EdgeVectorParams(size=DIM, distance=qe.Distance.Cosine, memory=qe.Memory.Cold),
        payload_memory=qe.Memory.Cold,
        hnsw_config=qe.HnswIndexConfig(
            m=16, ef_construct=100, full_scan_threshold=10_000, memory=qe.Memory.Cached
        ),
        quantization_config=qe.ScalarQuantizationConfig(
            type=qe.ScalarType.Int8, quantile=0.99, memory=qe.Memory.Cached
        ),
        optimizers=qe.EdgeOptimizersConfig(
            default_segment_number=1, indexing_threshold=INDEX_FROM * DIM * 4 // 1024
        ),
        wal_enabled=False,
    )
    shard = qe.EdgeShard.create(str(folder), config)
    rows = vectors(count)
    written = [qe.Point(id_of(n), rows[n].tolist(), {"number": n}) for n in range(count)]
    shard.update(qe.UpdateOperation.upsert_points(written))
    shard.flush()
    if optimized:
        shard.optimize()
        shard.flush()
    shard.close()
    marker = {"dimensions": DIM, "keyword_fields": [], "points": count}
    (folder / "collection.json").write_text(json.dumps(marker))
    return folder


@pytest.mark.parametrize(("count", "optimized"), [(50, False), (1_000, True)])
def test_a_collection_of_an_earlier_version_gets_sparse_vectors(
    path: Path, store: EdgeVectorStore, count: int, optimized: bool
) -> None:
    earlier_version(path, count, optimized)
    assert store.search_lexical("articles", ASKED, 5) == []
    assert store.search("articles", vectors(count)[3], 1)[0].payload == {"number": 3}
    store.ensure_collection("articles", DIM, ["digit"], lexical=True)
    store.upsert_points("articles", lexical_points(20))
    before = found(store)
    assert len(before) == 8
    store.close()
    again = EdgeVectorStore(path, lock_timeout=0, index_from=INDEX_FROM)
    assert found(again) == before
    assert again.count("articles") == count
    assert again.search("articles", vectors(count)[30], 1)[0].payload == {"number": 30}
    again.optimize("articles")
    assert found(again) == before
    again.close()


def test_killed_before_the_marker_says_so_it_gets_them_again(
    path: Path, store: EdgeVectorStore
) -> None:
    folder = earlier_version(path, 50)
    shard = qe.EdgeShard.load(str(folder))
    add_lexical(shard)
    shard.flush()
    shard.close()
    marker = json.loads((folder / "collection.json").read_text())
    (folder / "collection.json").write_text(json.dumps({**marker, "points": None}))
    assert store.count("articles") == 50
    store.ensure_collection("articles", DIM, lexical=True)
    store.upsert_points("articles", lexical_points(20))
    assert len(found(store)) == 8


def test_scores_are_the_same_after_a_restart_and_after_optimizing(
    path: Path, store: EdgeVectorStore
) -> None:
    fill(store, 1_200)
    store.delete_points("articles", {"digit": ["1", "4", "7"]})
    store.upsert_points("articles", lexical_points(100, first=1_150))
    before = found(store)
    store.close()
    again = EdgeVectorStore(path, lock_timeout=0, index_from=INDEX_FROM)
    assert found(again) == before
    again.optimize("articles")
    assert found(again) == before
    again.upsert_points("articles", lexical_points(300, first=1_250))
    again.delete_points("articles", {"digit": ["0"]})
    after = found(again, 2_000)
    fresh = EdgeVectorStore(path.with_name("fresh"), lock_timeout=0, index_from=INDEX_FROM)
    fresh.ensure_collection("articles", DIM, lexical=True)
    for first, count in ((0, 1_150), (1_150, 100), (1_250, 300)):
        fresh.upsert_points("articles", lexical_points(count, first))
    fresh.delete_points("articles", {"digit": ["1", "4", "7"], "number": list(range(1_150))})
    fresh.delete_points("articles", {"digit": ["0"]})
    assert found(fresh, 2_000) == after
    fresh.close()
    again.close()


@pytest.mark.parametrize("reopened", [False, True])
def test_points_of_an_emptied_collection_are_no_longer_counted(path: Path, reopened: bool) -> None:
    def opened(at: Path) -> EdgeVectorStore:
        # Indexing from the first point on puts sparse vectors in a file that a restart reads.
        return EdgeVectorStore(at, lock_timeout=0, index_from=1)

    emptied, fresh = opened(path), opened(path.with_name("fresh"))
    fill(emptied, 600)
    emptied.optimize("articles")
    emptied.delete_points("articles", {"digit": [str(digit) for digit in range(10)]})
    if reopened:
        emptied.close()
        emptied = opened(path)
    else:
        emptied.optimize("articles")
    emptied.upsert_points("articles", lexical_points(30, first=700))
    fresh.ensure_collection("articles", DIM, ["digit"], lexical=True)
    fresh.upsert_points("articles", lexical_points(30, first=700))
    assert found(emptied) == found(fresh)
    emptied.close()
    fresh.close()


def test_only_dense_vectors_count_as_indexed(path: Path, store: EdgeVectorStore) -> None:
    fill(store, 1_000)
    assert [c.indexed_vectors for c in store.collections()] == [0]
    store.optimize("articles")
    store.upsert_points("articles", lexical_points(50, first=1_000))
    assert [(c.points, c.indexed_vectors) for c in store.collections()] == [(1_050, 1_000)]
    store.delete_points("articles", {"digit": ["1"]})
    assert all(c.indexed_vectors <= c.points for c in store.collections())


def test_searches_of_both_kinds_may_run_while_points_are_written(store: EdgeVectorStore) -> None:
    fill(store, 500)
    query = np.ones(DIM, np.float32)
    with ThreadPoolExecutor(4) as pool:
        dense = pool.map(lambda k: len(store.search("articles", query, k)), [9] * 40)
        sparse = pool.map(lambda k: len(store.search_lexical("articles", ASKED, k)), [9] * 40)
        for first in range(500, 2_500, 500):
            store.upsert_points("articles", lexical_points(500, first))
        assert {*dense, *sparse} == {9}
