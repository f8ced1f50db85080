"""Fusing several lists of hits into one."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from moodswarm.retrieval.fusion import FusionParams, Ranker, Ranking, fuse
from moodswarm.stores.vectors.protocol import Hit

CONVEX = FusionParams()
PLAIN_RRF = FusionParams(method="rrf", lexical_weight=0.5)
RANKERS: tuple[Ranker, ...] = ("dense", "lexical")


def hits(**scores: float) -> list[Hit]:
    ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return [Hit(name, score, "articles", {"kind": "article"}) for name, score in ordered]


def ranking(ranker: Ranker, weight: float = 1.0, **scores: float) -> Ranking:
    return Ranking(ranker, hits(**scores), weight)


def ids(found: Sequence[Hit]) -> list[str]:
    return [hit.id for hit in found]


def many(ranker: Ranker, prefix: str, best: float, step: float, **scores: float) -> Ranking:
    """Return a ranking of a hundred hits: those in `scores`, then others from `best` downwards."""
    rest = {f"{prefix}{n:03}": best - step * n for n in range(100 - len(scores))}
    return ranking(ranker, **scores, **rest)


def test_plain_rrf_adds_reciprocal_ranks() -> None:
    found = fuse(
        [ranking("dense", a=0.9, b=0.8), ranking("lexical", b=12.0, c=3.0)],
        FusionParams(method="rrf", lexical_weight=0.5, rrf_k=60),
    )
    assert ids(found) == ["b", "a", "c"]
    assert [2 * hit.score for hit in found] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])


def test_rrf_breaks_a_tie_by_id() -> None:
    found = fuse([ranking("dense", b=0.9), ranking("lexical", a=7.0)], PLAIN_RRF)
    assert ids(found) == ["a", "b"]


def test_rrf_can_count_lexical_ranks_less() -> None:
    rankings = [ranking("dense", z=0.9), ranking("lexical", a=7.0)]
    assert ids(fuse(rankings, FusionParams(method="rrf", lexical_weight=0.3))) == ["z", "a"]


def test_convex_keeps_a_dense_hit_that_leads_by_far_where_rrf_does_not() -> None:
    dense = many("dense", "d", 0.40, 0.001, far=0.95, near=0.50)
    lexical = many("lexical", "l", 9.0, 0.05, near=10.0)
    assert ids(fuse([dense, lexical], PLAIN_RRF))[0] == "near"
    assert ids(fuse([dense, lexical], CONVEX))[0] == "far"


def test_convex_lets_a_lexical_hit_that_leads_by_far_decide_between_near_dense_ones() -> None:
    dense = many("dense", "d", 0.40, 0.001, a=0.62, b=0.60)
    lexical = many("lexical", "l", 4.0, 0.02, b=20.0, a=4.0)
    assert ids(fuse([dense, lexical], CONVEX))[:2] == ["b", "a"]


def test_convex_scores_do_not_depend_on_the_scale_of_a_ranker() -> None:
    dense = many("dense", "d", 0.5, 0.004)
    lexical = many("lexical", "d", 9.0, 0.03)
    scaled = many("lexical", "d", 900.0, 3.0)
    one, other = fuse([dense, lexical], CONVEX), fuse([dense, scaled], CONVEX)
    assert ids(one) == ids(other)
    assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other])


def test_a_single_weak_lexical_hit_does_not_outweigh_a_strong_dense_one() -> None:
    dense = many("dense", "d", 0.30, 0.001, strong=0.9)
    lexical = ranking("lexical", d097=0.01)
    assert ids(fuse([dense, lexical], CONVEX))[0] == "strong"


def test_equal_scores_are_no_preference() -> None:
    dense = many("dense", "d", 0.5, 0.004)
    flat = Ranking("lexical", hits(**{hit.id: 1.0 for hit in dense.hits}))
    assert ids(fuse([dense, flat], CONVEX)) == ids(dense.hits)


@pytest.mark.parametrize("params", [CONVEX, PLAIN_RRF])
@pytest.mark.parametrize("ranker", RANKERS)
def test_one_ranking_alone_keeps_its_order(ranker: Ranker, params: FusionParams) -> None:
    alone = ranking(ranker, c=0.9, a=0.5, b=0.5)
    assert ids(fuse([alone], params)) == ["c", "a", "b"]


@pytest.mark.parametrize("params", [CONVEX, PLAIN_RRF])
def test_a_ranker_without_hits_has_no_say(params: FusionParams) -> None:
    dense = ranking("dense", a=0.9, b=0.5)
    assert fuse([dense, Ranking("lexical", [])], params) == fuse([dense], params)


def test_nothing_gives_nothing() -> None:
    assert fuse([], CONVEX) == []
    assert fuse([Ranking("dense", []), Ranking("lexical", [])], CONVEX) == []


@pytest.mark.parametrize("params", [CONVEX, PLAIN_RRF])
def test_an_expansion_weighs_less_than_the_question(params: FusionParams) -> None:
    question = ranking("dense", 1.0, z=0.9, a=0.5)
    expansion = ranking("dense", 0.5, a=0.9, z=0.5)
    assert ids(fuse([question, expansion], params)) == ["z", "a"]


def test_expansions_do_not_change_how_much_words_count() -> None:
    dense, lexical = many("dense", "x", 0.5, 0.004), many("lexical", "x", 9.0, 0.03)
    twice = [dense, dense, dense, lexical]
    expected = [hit.score for hit in fuse([dense, lexical], CONVEX)]
    assert [hit.score for hit in fuse(twice, CONVEX)] == pytest.approx(expected)


@pytest.mark.parametrize("params", [CONVEX, PLAIN_RRF])
def test_the_order_of_the_rankings_does_not_matter(params: FusionParams) -> None:
    rankings = [
        many("dense", "d", 0.5, 0.004, a=0.7),
        many("lexical", "d", 9.0, 0.03, b=11.0),
        Ranking("dense", hits(a=0.4, d001=0.3), 0.5),
    ]
    shuffled = random.Random(0).sample(rankings, 3)
    assert fuse(shuffled, params) == fuse(rankings, params)


scores = st.dictionaries(
    st.sampled_from("abcdefgh"), st.floats(-1, 1).map(lambda x: round(x, 3)), max_size=8
)


@given(scores, scores, st.sampled_from([CONVEX, PLAIN_RRF]))
def test_every_hit_comes_once_best_first(
    dense: dict[str, float], lexical: dict[str, float], params: FusionParams
) -> None:
    positive = {name: score + 1.001 for name, score in lexical.items()}
    found = fuse([ranking("dense", **dense), ranking("lexical", **positive)], params)
    assert sorted(ids(found)) == sorted({*dense, *lexical})
    assert found == sorted(found, key=lambda hit: (-hit.score, hit.id))


def test_payload_and_collection_come_through() -> None:
    [hit] = fuse([ranking("dense", a=0.5)], CONVEX)
    assert (hit.collection, hit.payload) == ("articles", {"kind": "article"})


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_no_positive_number_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight of a dense ranking is .* expected a number above"):
        Ranking("dense", [], weight)


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ({"method": "borda"}, "convex"),
        ({"lexical_weight": 1.1}, "lexical_weight"),
        ({"rrf_k": -1}, "rrf_k"),
        ({"alpha": 0.5}, "alpha"),
    ],
)
def test_bad_parameters_are_refused(bad: dict[str, object], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        FusionParams.model_validate(bad)
