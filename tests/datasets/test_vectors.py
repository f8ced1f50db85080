"""The feature index lists a document only once all its points are written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from moodswarm.datasets.vectors import CollectionsDataset, FeatureIndex, FeatureIndexDataset
from moodswarm.records import FEATURE_INDEX_SCHEMA
from moodswarm.records.ids import document_id
from moodswarm.records.sparse import SPARSE_TYPE, SparseVector
from moodswarm.stores.errors import VectorSizeMismatch
from moodswarm.stores.vectors.edge.store import EdgeVectorStore

A, B = document_id("https://example.org/a"), document_id("https://example.org/b")


@pytest.fixture
def store(tmp_path: Path) -> dict[str, Any]:
    return {"backend": "edge", "path": str(tmp_path / "qdrant")}


@pytest.fixture
def chunks(store: dict[str, Any]) -> Iterator[CollectionsDataset]:
    dataset = CollectionsDataset(layer="embedded", store=store)
    yield dataset
    dataset.release()


@pytest.fixture
def index(store: dict[str, Any]) -> Iterator[FeatureIndexDataset]:
    dataset = FeatureIndexDataset(store=store)
    yield dataset
    dataset.release()


def points(document: str, revision: str, *texts: str, kind: str = "post") -> pa.Table:
    rows = [
        {
            "id": document_id(f"https://example.org/{document}{revision}{text}"),
            "kind": kind,
            "document_id": document,
            "revision": revision,
            "text": text,
        }
        for text in texts
    ]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.5] * 4 * len(rows), pa.float32()), 4)
    return pa.Table.from_pylist(rows).append_column("vector", vectors)


def row(document: str, revision: str, status: str = "embedded") -> pa.Table:
    values = {"id": document, "kind": "post", "revision": revision, "status": status, "chunks": 1}
    return pa.Table.from_pylist([{"reason": None, **values}], schema=FEATURE_INDEX_SCHEMA)


def texts(chunks: CollectionsDataset, name: str = "embedded_posts") -> set[str]:
    return {point["text"] for page in chunks.load().scroll(name) for point in page}


def test_points_go_to_the_collection_of_their_kind(chunks: CollectionsDataset) -> None:
    chunks.save(points(A, "r1", "one"))
    chunks.save(points(B, "r1", "two", kind="article"))
    assert (texts(chunks), texts(chunks, "embedded_articles")) == ({"one"}, {"two"})


def test_points_with_words_are_found_by_them(chunks: CollectionsDataset) -> None:
    words = pa.array([{"indices": [7], "values": [1.0]}, None], SPARSE_TYPE)
    chunks.save(points(A, "r1", "one", "two").append_column("lexical", words))
    hits = chunks.load().search_lexical("embedded_posts", SparseVector((7,), (1.0,)), 5)
    assert [hit.payload["text"] for hit in hits] == ["one"]


def test_a_collection_saved_without_words_gets_them_with_the_next_batch(
    chunks: CollectionsDataset, index: FeatureIndexDataset
) -> None:
    chunks.save(points(A, "r1", "one"))
    index.save(row(A, "r1"))
    words = pa.array([{"indices": [7], "values": [1.0]}], SPARSE_TYPE)
    chunks.save(points(B, "r1", "two").append_column("lexical", words))
    assert texts(chunks) == {"one", "two"}
    hits = chunks.load().search_lexical("embedded_posts", SparseVector((7,), (1.0,)), 5)
    assert [hit.payload["text"] for hit in hits] == ["two"]


def test_completing_a_document_removes_points_of_its_other_revisions(
    chunks: CollectionsDataset, index: FeatureIndexDataset
) -> None:
    chunks.save(points(A, "r1", "old", "older"))
    chunks.save(points(B, "r1", "other"))
    chunks.save(points(A, "r2", "new"))
    index.save(row(A, "r2"))
    assert texts(chunks) == {"new", "other"}


def test_a_deleted_document_leaves_no_point_and_no_row(
    chunks: CollectionsDataset, index: FeatureIndexDataset
) -> None:
    chunks.save(points(A, "r1", "one"))
    index.save(row(A, "r1"))
    index.save(row(A, "r1", "deleted"))
    assert texts(chunks) == set()
    assert list(index.load().rows()) == []


def test_rows_come_ordered_by_id(index: FeatureIndexDataset) -> None:
    for document in sorted([A, B], reverse=True):
        index.save(row(document, "r1"))
    assert [row["id"] for row in index.load().rows()] == sorted([A, B])


def test_a_kind_whose_points_are_gone_is_noticed(
    chunks: CollectionsDataset, index: FeatureIndexDataset
) -> None:
    chunks.save(points(A, "r1", "one"))
    CollectionsDataset(layer="cleaned", store=index._config).save(
        points(A, "r1", "one").drop_columns("vector")
    )
    index.save(row(A, "r1"))
    loaded: FeatureIndex = index.load()
    assert loaded.emptied_kinds() == set()
    index.store.delete_collection("embedded_posts")
    assert loaded.emptied_kinds() == {"post"}


def test_vectors_of_another_model_are_refused(
    chunks: CollectionsDataset, index: FeatureIndexDataset
) -> None:
    chunks.save(points(A, "r1", "one"))
    index.load().require_dimensions(4, "same")
    with pytest.raises(VectorSizeMismatch, match="embedded_posts holds vectors of size 4.*makes 8"):
        index.load().require_dimensions(8, "wide")


def test_a_large_collection_is_indexed_when_enough_of_it_is_not(tmp_path: Path) -> None:
    store = EdgeVectorStore(tmp_path / "qdrant", index_from=1_000)
    store.ensure_collection("embedded_posts", 4)
    store.upsert_points("embedded_posts", points(A, "r", *map(str, range(1_200))))
    index = FeatureIndex(store)
    assert index.index(from_points=2_000, unindexed_share=0.3) == {"embedded_posts": 0}
    assert index.index(from_points=1_000, unindexed_share=1.0) == {"embedded_posts": 0}
    assert index.index(from_points=1_000, unindexed_share=0.3) == {"embedded_posts": 1_200}
    store.upsert_points("embedded_posts", points(B, "r", *map(str, range(1_200, 1_300))))
    assert index.index(from_points=1_000, unindexed_share=0.3) == {"embedded_posts": 1_200}
    store.close()
