"""Retrievers as callers open them."""

from moodswarm.records import Author
from moodswarm.retrieval.opening import open_reranker, open_retriever
from moodswarm.retrieval.parameters import RerankParams, RetrievalParams
from moodswarm.retrieval.question import Filters, Question
from moodswarm.stores.errors import StoreError
from retrieval.fakes import FakeEmbedder, FakeStore, chunks_of
from retrieval.world import states

MIRA = Author.from_full_name("Mira Solano")
QUESTION = Question("What did Mira write about tea?")


def store() -> FakeStore:
    filled = FakeStore()
    filled.add("embedded_articles", chunks_of("tea", "tea and boats", author_id=MIRA.id))
    return filled


def test_with_authors_the_question_is_read() -> None:
    embedder = FakeEmbedder()
    with open_retriever(
        store(), embedder, None, RetrievalParams(), authors=lambda: [MIRA]
    ) as retriever:
        assert retriever.retrieve(QUESTION).filters.author_ids == (MIRA.id,)


def test_without_authors_and_a_model_nothing_is_read_out_of_the_question() -> None:
    with open_retriever(store(), FakeEmbedder(), None, RetrievalParams()) as retriever:
        found = retriever.retrieve(QUESTION)
    assert found.filters == Filters()
    assert (states(found)["self_query"], states(found)["expansion"]) == ("skipped", "skipped")


def test_a_reranker_is_opened_only_where_reranking_is_on() -> None:
    assert open_reranker(RerankParams()) is None
    opened = open_reranker(RerankParams(enabled=True, model="/no/such/reranker"))
    assert opened is not None
    assert opened.name == "/no/such/reranker"


def test_stages_are_switched_without_changing_the_rest() -> None:
    params = RetrievalParams(k=7)
    switched = params.switched(rerank=True, lexical=False)
    assert (switched.rerank.enabled, switched.lexical.enabled, switched.k) == (True, False, 7)
    assert switched.switched(rerank=False, lexical=True) == params


def test_authors_that_could_not_be_read_are_still_said_after_the_second_search() -> None:
    def authors() -> list[Author]:
        raise StoreError("documents.db is locked")

    with open_retriever(
        store(), FakeEmbedder(), None, RetrievalParams(), authors=authors
    ) as retriever:
        found = retriever.retrieve(Question("Which posts mention tea?"))
    assert found.passages
    assert list(states(found))[:3] == ["authors", "self_query", "expansion"]
    assert len([w for w in found.trace.warnings if w.startswith("authors: documents.db")]) == 1
