"""Dense search over all kinds."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from models.tiny import build_tiny_checkpoint
from moodswarm.commands.search import nearest
from moodswarm.models.embedder import Embedder
from moodswarm.records.ids import document_id
from moodswarm.retrieval.errors import ModelMismatch, NothingEmbedded
from moodswarm.retrieval.question import Filters, Question
from moodswarm.stores.vectors.opening import open_vector_store
from moodswarm.stores.vectors.protocol import Hit, VectorStore

TEXTS = {
    "embedded_articles": {"a1": "tea and kettles", "a2": "boats and tides"},
    "embedded_posts": {"p1": "tea", "p2": "the ferry strike"},
}


def search(
    store: VectorStore,
    embedder: Embedder,
    query: str,
    *,
    k: int = 5,
    kinds: tuple[str, ...] = (),
    author_id: str | None = None,
) -> list[Hit]:
    authors = (author_id,) if author_id else ()
    return nearest(store, embedder, Question(query, Filters(authors, kinds), k))


@pytest.fixture(scope="module")
def embedder(tiny_model: Path) -> Embedder:
    return Embedder(model=str(tiny_model), precision="float32")


@pytest.fixture(scope="module")
def store(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorStore]:
    path = tmp_path_factory.mktemp("qdrant")
    store = open_vector_store({"backend": "edge", "path": str(path)})
    for name, texts in TEXTS.items():
        vectors = embedder.embed(list(texts.values()))
        size = vectors.shape[1]
        store.ensure_collection(name, size, ("author_id",))
        table = pa.table(
            {
                "id": [document_id(f"https://example.org/{key}") for key in texts],
                "author_id": ["mira" if key.endswith("1") else "ada" for key in texts],
                "text": list(texts.values()),
                # The posts are from an older run that did not record the model yet.
                "model": [embedder.identity[:16] if "articles" in name else None for _ in texts],
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), size),
            }
        )
        store.upsert_points(name, table)
    yield store
    store.close()


def test_the_same_text_is_found_first_over_all_kinds(
    store: VectorStore, embedder: Embedder
) -> None:
    hits = search(store, embedder, "the ferry strike", k=4)
    assert (hits[0].collection, hits[0].payload["text"]) == ("embedded_posts", "the ferry strike")
    assert hits[0].score == pytest.approx(1.0, abs=1e-4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_k_is_the_number_of_hits_in_all(store: VectorStore, embedder: Embedder) -> None:
    assert len(search(store, embedder, "tea", k=3)) == 3


def test_filters_hold(store: VectorStore, embedder: Embedder) -> None:
    hits = search(store, embedder, "tea", kinds=("article",), author_id="ada")
    assert [hit.payload["text"] for hit in hits] == ["boats and tides"]


def test_a_kind_without_points_gives_nothing(store: VectorStore, embedder: Embedder) -> None:
    assert search(store, embedder, "tea", kinds=("repository",)) == []


def test_a_kind_without_points_does_not_hide_the_others(
    store: VectorStore, embedder: Embedder
) -> None:
    assert len(search(store, embedder, "tea", kinds=("repository", "post"))) == 2


def test_vectors_of_another_model_of_the_same_size_are_refused(
    store: VectorStore, tmp_path: Path
) -> None:
    other = Embedder(model=str(build_tiny_checkpoint(tmp_path / "other", max_tokens=8)))
    expected = (
        r"embedded_articles holds .* another model .* than \S*other .*; run `kedro run --pipeline=f"
    )
    with pytest.raises(ModelMismatch, match=expected):
        search(store, other, "tea")


def test_points_that_do_not_name_their_model_are_found(store: VectorStore, tmp_path: Path) -> None:
    other = Embedder(model=str(build_tiny_checkpoint(tmp_path / "other", max_tokens=8)))
    assert len(search(store, other, "tea", kinds=("post",))) == 2


def test_a_long_query_is_read_as_far_as_the_model_can(
    store: VectorStore, embedder: Embedder
) -> None:
    assert search(store, embedder, "tea " * 5_000, k=1)


@pytest.mark.parametrize(
    ("query", "k", "message"),
    [(" ", 1, "empty"), ("x" * 100_000, 1, "at most 20,000"), ("tea", 0, "expected 1 to 1000")],
)
def test_a_bad_query_is_refused(
    store: VectorStore, embedder: Embedder, query: str, k: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        search(store, embedder, query, k=k)


def test_an_empty_store_is_told_from_one_that_has_nothing_fitting(
    embedder: Embedder, tmp_path: Path
) -> None:
    empty = open_vector_store({"backend": "edge", "path": str(tmp_path / "empty")})
    with pytest.raises(NothingEmbedded, match="kedro run --pipeline=feature"):
        search(empty, embedder, "tea")
    empty.close()
