"""Asking a retriever many questions, and keeping its rankings."""

import pytest

from evaluation.retrieval.corpora import ListedRetriever
from moodswarm.evaluation.retrieval.configurations import (
    configurations,
    with_candidates,
)
from moodswarm.evaluation.retrieval.rankings import ask_all, going_deeper
from moodswarm.evaluation.retrieval.results import summarise
from moodswarm.retrieval.parameters import RerankParams, RetrievalParams
from moodswarm.retrieval.question import MAX_QUESTION_CHARACTERS
from moodswarm.stores.vectors.protocol import Hit


def document(hit: Hit) -> str:
    return str(hit.payload["document_id"])


def test_documents_are_ranked_by_their_best_chunk() -> None:
    retriever = ListedRetriever({"tea": ["a.1", "b.1", "a.2", "c.1"]})
    found = ask_all(retriever, [("q", "tea")], k=10, name_of=document)
    assert found.by_question == {"q": ["a", "b", "c"]}


def test_more_is_asked_for_until_enough_documents_come_together() -> None:
    chunks = [f"{'ab'[n // 4]}.{n}" for n in range(8)] + ["c.1"]
    opened: list[int] = []

    def open_retriever(candidates: int) -> ListedRetriever:
        opened.append(candidates)
        return ListedRetriever({"tea": chunks})

    deeper = going_deeper(open_retriever, document)
    first = ListedRetriever({"tea": chunks})
    found = ask_all(first, [("q", "tea"), ("r", "tea")], k=3, name_of=document, deeper=deeper)
    assert found.by_question == {"q": ["a", "b", "c"], "r": ["a", "b", "c"]}
    assert opened == [9]


def test_what_the_plain_question_found_stays_first() -> None:
    deep = ListedRetriever({"tea": ["x.1", "a.1", "a.2"]})
    first = ListedRetriever({"tea": ["a.1", "a.2"]})
    deeper = going_deeper(lambda _: deep, document)
    found = ask_all(first, [("q", "tea")], k=2, name_of=document, deeper=deeper)
    assert found.by_question == {"q": ["a", "x"]}


def test_only_stages_that_ran_are_timed() -> None:
    found = ask_all(ListedRetriever({}), [("q", "tea"), ("r", "rope")], k=5)
    assert sorted(found.latencies()) == ["dense", "total"]
    assert len(found.milliseconds["total"]) == 2


def test_degraded_stages_are_counted() -> None:
    found = ask_all(ListedRetriever({}, "too slow"), [("q", "tea"), ("r", "rope")], k=5)
    assert found.degraded == {"rerank: too slow": 2}


def test_a_question_that_cannot_be_asked_is_kept_and_counts_as_zero() -> None:
    found = ask_all(ListedRetriever({"tea": ["1"]}), [("q", "tea"), ("r", " ")], k=5)
    assert "the question is empty" in found.refused["r"]
    result = summarise({"dense": found}, {q: {"1": 1} for q in "qr"})["dense"]
    assert result.measures["MRR@10"].value == 0.5


def test_of_a_question_that_is_too_long_the_beginning_is_asked() -> None:
    start = "tea " * (MAX_QUESTION_CHARACTERS // 4)
    found = ask_all(ListedRetriever({start: ["1"]}), [("q", start + "rope")], k=5)
    assert found.by_question == {"q": ["1"]}
    assert found.degraded == {"the question is cut to 20,000 characters": 1}


def test_results_are_compared_with_dense() -> None:
    questions = [(str(n), "tea") for n in range(20)]
    judged = {name: {"1": 1} for name, _ in questions}
    dense = ask_all(ListedRetriever({"tea": ["2", "1"]}), questions, k=5)
    hybrid = ask_all(ListedRetriever({"tea": ["1", "2"]}), questions, k=5)
    found = summarise({"dense": dense, "hybrid": hybrid}, judged)
    assert found["dense"].differences == {}
    assert found["hybrid"].differences["MRR@10"].value == 0.5
    assert found["hybrid"].differences["MRR@10"].low > 0


def test_configurations_switch_searches() -> None:
    found = configurations(RetrievalParams())
    switched = {n: (p.dense.enabled, p.lexical.enabled, p.rerank.enabled) for n, p in found.items()}
    assert switched == {
        "dense": (True, False, False),
        "lexical": (False, True, False),
        "hybrid": (True, True, False),
    }


def test_reranking_is_measured_where_it_is_on_or_asked_for() -> None:
    on = RetrievalParams(rerank=RerankParams(enabled=True))
    assert list(configurations(on))[-1] == "hybrid_rerank"
    asked = configurations(RetrievalParams(), ["hybrid_rerank", "dense"])
    assert list(asked) == ["dense", "hybrid_rerank"]
    assert asked["hybrid_rerank"].rerank.enabled


def test_an_unknown_configuration_is_named() -> None:
    with pytest.raises(ValueError, match=r"\['sparse'\]; known: dense, lexical"):
        configurations(RetrievalParams(), ["sparse"])


def test_candidates_are_raised_and_never_lowered() -> None:
    params = RetrievalParams()
    assert with_candidates(params, 300).dense.candidates == 300
    assert with_candidates(params, 5).lexical.candidates == params.lexical.candidates


def test_a_public_collection_is_asked_without_filters_and_context() -> None:
    params = RetrievalParams().ranking_only()
    stages = (params.self_query, params.expansion, params.neighbours, params.context)
    assert not any(stage.enabled for stage in stages)
