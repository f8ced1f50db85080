"""A retriever over the embedded store and a real model."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from models.tiny import build_tiny_checkpoint
from moodswarm.models.embedder import Embedder
from moodswarm.records.sparse import SPARSE_TYPE
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.retriever import Retriever
from moodswarm.stores.vectors.edge.store import EdgeVectorStore
from moodswarm.text.lexical import LexicalEncoder
from retrieval.fakes import chunks_of

TEA = "The tea is old and the water is high. A first cup of tea in the morning. Bread and water."
FERRY = "The ferry strike is over. Boats go to the island by night. The harbour is small."
ENCODER = LexicalEncoder()


def fill(store: EdgeVectorStore, embedder: Embedder, *, lexical: bool = True) -> None:
    articles = chunks_of("tea", TEA, author_id="mira", published_at="2024-05-06T23:30:00+00:00")
    posts = chunks_of("ferry", FERRY, overlap=10, author_id="ada")
    for name, rows in (("embedded_articles", articles), ("embedded_posts", posts)):
        store.ensure_collection(
            name, embedder.dimensions, ("document_id", "author_id"), lexical=lexical
        )
        store.upsert_points(name, points(rows, embedder, lexical))


def points(rows: list[dict[str, Any]], embedder: Embedder, lexical: bool) -> pa.Table:
    texts = [row["text"] for row in rows]
    vectors = embedder.embed(texts)
    table = pa.Table.from_pylist([{**row, "model": embedder.identity[:16]} for row in rows])
    flat = pa.array(vectors.ravel())
    column = pa.FixedSizeListArray.from_arrays(flat, embedder.dimensions)
    table = table.append_column("vector", column)
    if not lexical:
        return table
    encoded = ENCODER.encode_documents(texts, [row["title"] for row in rows])
    sparse = [{"indices": vector.indices, "values": vector.values} for vector in encoded]
    names = pa.array([ENCODER.identity[:16]] * len(rows))
    table = table.append_column("lexical_model", names)
    return table.append_column("lexical", pa.array(sparse, SPARSE_TYPE))


@pytest.fixture(scope="module")
def embedder(tiny_model: Path) -> Embedder:
    return Embedder(model=str(tiny_model), precision="float32")


@pytest.fixture(scope="module")
def store(
    embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EdgeVectorStore]:
    store = EdgeVectorStore(tmp_path_factory.mktemp("qdrant"))
    fill(store, embedder)
    yield store
    store.close()


@pytest.fixture(scope="module")
def retriever(store: EdgeVectorStore, embedder: Embedder) -> Iterator[Retriever]:
    with Retriever(store, embedder, ENCODER, RetrievalParams()) as retriever:
        retriever.warm_up()
        yield retriever


def test_words_and_meaning_find_the_passage_and_what_is_around_it(retriever: Retriever) -> None:
    found = retriever.retrieve(Question("ferry strike", k=1))
    [passage] = found.passages
    assert FERRY.startswith(passage.text)
    assert set(passage.scores) == {"dense", "lexical", "fusion"}
    assert found.context.sources[0].heading == "About ferry · https://example.org/ferry"
    assert found.trace.warnings == []


def test_filters_reach_the_store(retriever: Retriever) -> None:
    by_ada = retriever.retrieve(Question("tea", Filters(author_ids=("ada",))))
    assert {passage.hit.payload["author_id"] for passage in by_ada.passages} == {"ada"}
    day = date(2024, 5, 6)
    of_a_day = retriever.retrieve(Question("the", Filters(since=day, until=day)))
    assert {passage.hit.collection for passage in of_a_day.passages} == {"embedded_articles"}
    nothing = retriever.retrieve(Question("the", Filters(until=date(2024, 5, 5))))
    assert nothing.passages == ()
    [reason] = [report.detail for report in nothing.trace.stages if report.stage == "filters"]
    assert "0 published until 2024-05-05" in reason


def test_many_threads_get_what_one_gets(retriever: Retriever) -> None:
    questions = [Question(text) for text in ("tea", "the island by night", "old bread")] * 10
    expected = [retriever.retrieve(question).passages for question in questions]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(retriever.retrieve, questions))
    assert [retrieval.passages for retrieval in found] == expected


def test_another_model_leaves_the_words(store: EdgeVectorStore, tmp_path: Path) -> None:
    other = Embedder(model=str(build_tiny_checkpoint(tmp_path / "other", max_tokens=8)))
    with Retriever(store, other, ENCODER, RetrievalParams()) as retriever:
        found = retriever.retrieve(Question("ferry strike", k=1))
    assert found.passages[0].hit.collection == "embedded_posts"
    assert "holds vectors of another model" in found.trace.warnings[0]


def test_vectors_of_another_size_leave_the_words(store: EdgeVectorStore, tmp_path: Path) -> None:
    other = Embedder(model=str(build_tiny_checkpoint(tmp_path / "wide", dimensions=64)))
    with Retriever(store, other, ENCODER, RetrievalParams()) as retriever:
        found = retriever.retrieve(Question("ferry strike", k=1))
    assert found.passages[0].hit.collection == "embedded_posts"
    assert "holds vectors of size 32, found vectors of size 64" in found.trace.warnings[0]


def test_a_model_that_is_not_there_leaves_the_words(store: EdgeVectorStore, tmp_path: Path) -> None:
    missing = Embedder(model=str(tmp_path / "nowhere"))
    with Retriever(store, missing, ENCODER, RetrievalParams()) as retriever:
        found = retriever.retrieve(Question("ferry strike", k=1))
    assert found.context.sources
    assert [warning.split(":")[0] for warning in found.trace.warnings] == ["embed", "context"]


def test_a_store_of_an_older_version_is_searched_by_meaning(
    embedder: Embedder, tmp_path: Path
) -> None:
    older = EdgeVectorStore(tmp_path / "older")
    fill(older, embedder, lexical=False)
    with Retriever(older, embedder, ENCODER, RetrievalParams()) as retriever:
        found = retriever.retrieve(Question("ferry strike", k=1))
    assert found.passages
    [lexical] = [report for report in found.trace.stages if report.stage == "lexical"]
    assert (lexical.state, lexical.detail.count("run `kedro run")) == ("degraded", 1)
    older.close()
