"""Measures for rankings."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.evaluation.retrieval.measures import MEASURES, score_rankings


def test_measures_are_those_of_trec_eval() -> None:
    scores = score_rankings({"q": ["x", "a", "y", "b"]}, {"q": {"a": 2, "b": 1, "c": 1, "x": 0}})
    gain = 2 / math.log2(3) + 1 / math.log2(5)
    best = 2 + 1 / math.log2(3) + 1 / math.log2(4)
    assert scores["nDCG@10"]["q"] == pytest.approx(gain / best)
    assert scores["Recall@5"]["q"] == pytest.approx(2 / 3)
    assert scores["MRR@10"]["q"] == pytest.approx(1 / 2)


def test_negative_relevance_is_not_relevant() -> None:
    scores = score_rankings({"q": ["bad", "good"]}, {"q": {"bad": -2, "good": 1}})
    assert scores["MRR@10"]["q"] == 0.5
    assert scores["Recall@10"]["q"] == 1.0


def test_a_judged_question_without_a_ranking_counts_as_zero() -> None:
    scores = score_rankings({"a": ["1"], "b": []}, {q: {"1": 1} for q in "abc"})
    assert scores["Recall@5"] == {"a": 1.0, "b": 0.0, "c": 0.0}


def test_without_any_ranking_all_is_zero() -> None:
    scores = score_rankings({}, {"a": {"1": 1}})
    assert scores == {name: {"a": 0.0} for name in MEASURES}


def test_a_question_that_was_not_judged_does_not_count() -> None:
    scores = score_rankings({"a": ["1"], "b": ["1"]}, {"a": {"1": 1}})
    assert set(scores["MRR@10"]) == {"a"}


@given(st.permutations(["9", "10", "b", "a b", "é/ü", "Z"]))
def test_the_order_decides_and_never_the_names(ranking: list[str]) -> None:
    scores = score_rankings({"q 1": ranking}, {"q 1": {"a b": 1}})
    assert scores["MRR@10"]["q 1"] == pytest.approx(1 / (1 + ranking.index("a b")))


def test_a_recall_is_looked_up_at_its_own_depth() -> None:
    ranking = [str(number) for number in range(100)]
    scores = score_rankings({"q": ranking}, {"q": {"4": 1, "9": 1, "10": 1, "99": 1}})
    recalls = [scores[f"Recall@{k}"]["q"] for k in (5, 10, 100)]
    assert recalls == [0.25, 0.5, 1.0]
