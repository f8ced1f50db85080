"""Every promise of the `VectorStore` protocol about sparse vectors, on each of the stores."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.vector_stores import (
    BACKENDS,
    DIM,
    WARNINGS,
    filled,
    id_of,
    open_store,
    points,
    rows_of,
    vectors,
)
from moodswarm.records.sparse import SPARSE_TYPE, SparseVector
from moodswarm.stores.errors import StoreError
from moodswarm.stores.vectors.protocol import Hit, VectorStore

Weights = Mapping[int, float]
pytestmark = WARNINGS


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def column(weights: Sequence[Weights | None]) -> pa.Array:
    """Build the column `lexical`."""
    rows = [
        None if one is None else {"indices": sorted(one), "values": [one[i] for i in sorted(one)]}
        for one in weights
    ]
    return pa.array(rows, SPARSE_TYPE)


def texts(count: int, seed: int = 0) -> list[Weights]:
    """Draw sparse vectors with a few of 40 indices.

    Low indices are common, and some indices are above 2**31.
    """
    rng = np.random.default_rng(seed)
    indices = [7 + 100_000_000 * n for n in range(40)]
    chosen = (np.unique(rng.zipf(1.4, 8) % 40) for _ in range(count))
    return [{indices[n]: float(rng.uniform(0.5, 2)) for n in row} for row in chosen]


def weighed(weights: Sequence[Weights | None], first: int = 0) -> pa.Table:
    return points(vectors(len(weights), seed=first), first, lexical=column(weights))


def lexical(store: VectorStore, weights: Sequence[Weights | None]) -> None:
    store.ensure_collection("articles", DIM, ["parity", "digit"], lexical=True)
    store.upsert_points("articles", weighed(weights))


def query(*indices: int) -> SparseVector:
    return SparseVector(tuple(sorted(indices)), (1.0,) * len(indices))


def expected(asked: SparseVector, weights: Mapping[int, Weights]) -> dict[int, float]:
    """Return the score of each point: the sum of query value times rarity times point value."""
    scores: dict[int, float] = {}
    for index, value in zip(asked.indices, asked.values, strict=True):
        having = [n for n, one in weights.items() if index in one]
        rarity = math.log(1 + (len(weights) - len(having) + 0.5) / (len(having) + 0.5))
        for n in having:
            scores[n] = scores.get(n, 0) + value * rarity * weights[n][index]
    return scores


def scores(hits: Sequence[Hit]) -> dict[int, float]:
    return {hit.payload["number"]: hit.score for hit in hits}


# Searching


def test_scores_are_weights_times_inverse_document_frequency(store: VectorStore) -> None:
    weights = texts(60)
    lexical(store, weights)
    for one in texts(5, seed=1):
        asked = SparseVector(tuple(sorted(one)), tuple(one[i] for i in sorted(one)))
        hits = store.search_lexical("articles", asked, 60)
        assert scores(hits) == pytest.approx(expected(asked, dict(enumerate(weights))), rel=1e-4)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_what_was_deleted_or_replaced_does_not_count(store: VectorStore) -> None:
    weights, asked = texts(60), query(7, 100_000_007, 300_000_007)
    lexical(store, weights)
    store.delete_points("articles", {"digit": ["1", "3", "4", "7"]})
    store.upsert_points("articles", weighed(texts(10, seed=2)))
    live = {n: one for n, one in enumerate(weights) if n % 10 not in (1, 3, 4, 7)}
    live |= dict(enumerate(texts(10, seed=2)))
    found = scores(store.search_lexical("articles", asked, 60))
    assert found == pytest.approx(expected(asked, live), rel=1e-4)


def test_points_without_a_sparse_vector_neither_hit_nor_count(store: VectorStore) -> None:
    lexical(store, [{7: 1.0}, {8: 1.0}, None, {}])
    store.upsert_points("articles", points(vectors(3), first=4))
    hits = store.search_lexical("articles", query(7), 10)
    assert scores(hits) == {0: pytest.approx(math.log(2))}
    assert store.count("articles") == 7
    assert len(store.search("articles", vectors(1)[0], 10)) == 7


def test_points_that_share_no_index_are_never_hits_under_any_filter(store: VectorStore) -> None:
    lexical(store, [{7: 1.0, 9: 2.0}, {8: 1.0}, {8: 2.0}, {7: 0.5}])
    for match in (None, {"parity": ["odd"]}, {"digit": ["1", "3"]}, {"id": [id_of(1), id_of(3)]}):
        hits = store.search_lexical("articles", query(7), 10, match)
        assert [hit.payload["number"] for hit in hits] == ([0, 3] if match is None else [3])


def test_a_filter_keeps_the_scores_and_loses_no_hit(store: VectorStore) -> None:
    weights, asked = texts(300), query(7, 100_000_007, 500_000_007)
    lexical(store, weights)
    every = expected(asked, dict(enumerate(weights)))
    for digits in (["3"], ["1", "2", "3", "4", "5", "6", "7"]):
        found = scores(store.search_lexical("articles", asked, 300, {"digit": digits}))
        meeting = {n: score for n, score in every.items() if str(n % 10) in digits}
        assert found == pytest.approx(meeting, rel=1e-4)


def test_ties_are_ordered_by_id_even_at_the_cut(store: VectorStore) -> None:
    lexical(store, [{7: 1.5}] * 40 + [{8: 1.0}])
    hits = store.search_lexical("articles", query(7), 7)
    assert [hit.id for hit in hits] == sorted(id_of(n) for n in range(40))[:7]


@pytest.mark.parametrize(("k", "found"), [(0, 0), (-1, 0), (1, 1), (99, 3)])
def test_k_bounds_the_hits(store: VectorStore, k: int, found: int) -> None:
    lexical(store, [{7: 1.0}, {7: 2.0}, {7: 3.0}])
    assert len(store.search_lexical("articles", query(7), k)) == found


def test_an_empty_query_or_an_empty_collection_has_no_hits(store: VectorStore) -> None:
    assert store.search_lexical("articles", query(7), 3) == []
    lexical(store, [{7: 1.0}])
    store.ensure_collection("dense", DIM)
    store.upsert_points("dense", points(vectors(1)))
    store.ensure_collection("index", None)
    assert store.search_lexical("articles", query(), 3) == []
    assert store.search_lexical("articles", query(4_000_000_000), 3) == []
    assert store.search_lexical("dense", query(7), 3) == []
    assert store.search_lexical("index", query(7), 3) == []


def test_payloads_can_have_sparse_vectors_alone(store: VectorStore) -> None:
    store.ensure_collection("words", None, lexical=True)
    store.upsert_points("words", points(None, count=2, lexical=column([{7: 1.0}, None])))
    assert set(scores(store.search_lexical("words", query(7), 3))) == {0}


def test_hits_carry_the_fields_asked_for(store: VectorStore) -> None:
    lexical(store, [{7: 1.0}])
    for fields, payload in ((["digit"], {"digit": "0"}), ([], {})):
        lexical_hit = store.search_lexical("articles", query(7), 1, fields=fields)[0]
        dense_hit = store.search("articles", vectors(1)[0], 1, fields=fields)[0]
        assert dict(lexical_hit.payload) == dict(dense_hit.payload) == payload
    assert set(store.search_lexical("articles", query(7), 1)[0].payload) == {
        "number",
        "parity",
        "digit",
    }


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([0, 1, 2, 2**16, 2**31, 2**32 - 1]),
            st.floats(2**-7, 2**7, width=32),
            max_size=6,
        ),
        max_size=8,
    )
)
def test_every_value_written_is_found_at_its_index(
    store: VectorStore, weights: list[dict[int, float]]
) -> None:
    store.delete_collection("articles")
    lexical(store, weights)
    written = {n: one for n, one in enumerate(weights) if one}
    for index in {index for one in weights for index in one}:
        found = scores(store.search_lexical("articles", query(index), 10))
        assert found == pytest.approx(expected(query(index), written), rel=1e-4)


# Collections and writing


def test_a_collection_without_sparse_vectors_gets_them(store: VectorStore) -> None:
    rows = filled(store, 20)
    before = store.search("articles", rows[3], 5)
    for _ in range(2):
        store.ensure_collection("articles", DIM, ["parity"], lexical=True)
    assert store.search("articles", rows[3], 5) == before
    assert store.search_lexical("articles", query(7), 5) == []
    store.upsert_points("articles", weighed([{7: 1.0}, {7: 2.0}, {8: 1.0}]))
    assert list(scores(store.search_lexical("articles", query(7), 5))) == [1, 0]
    assert store.count("articles") == 20


def test_ensure_without_sparse_vectors_leaves_them(store: VectorStore) -> None:
    lexical(store, [{7: 1.0}])
    store.ensure_collection("articles", DIM)
    assert len(store.search_lexical("articles", query(7), 5)) == 1


def test_a_replaced_point_has_its_new_sparse_vector_or_none(store: VectorStore) -> None:
    lexical(store, [{7: 1.0}, {7: 1.0}, {9: 1.0}])
    store.upsert_points("articles", weighed([{8: 1.0}]))
    store.upsert_points("articles", points(vectors(1), first=1))
    assert store.search_lexical("articles", query(7), 5) == []
    assert set(scores(store.search_lexical("articles", query(8), 5))) == {0}


def test_the_sparse_vector_is_not_part_of_the_payload(store: VectorStore) -> None:
    lexical(store, [{7: 1.0}, None])
    for row in rows_of(store, with_vectors=True):
        assert set(row) == {"id", "vector", "number", "parity", "digit"}
        np.testing.assert_allclose(row["vector"], vectors(2)[row["number"]], atol=1e-6)


def test_sparse_vectors_do_not_count_as_indexed(store: VectorStore) -> None:
    lexical(store, texts(30))
    assert [(c.points, c.indexed_vectors) for c in store.collections()] == [(30, 0)]


def test_a_slice_of_a_table_is_written_as_it_is(store: VectorStore) -> None:
    weights = [{7: 1.0}, None, {8: 2.0, 9: 3.0}, {9: 1.0}]
    store.ensure_collection("articles", DIM, lexical=True)
    store.upsert_points("articles", weighed(weights).slice(1, 2))
    assert set(scores(store.search_lexical("articles", query(7, 8, 9), 5))) == {2}


# Bad input


@pytest.mark.parametrize(
    ("indices", "values", "problem"),
    [
        ([3, 2], [1.0, 1.0], "indices that repeat or are not ascending"),
        ([2, 2], [1.0, 1.0], "indices that repeat or are not ascending"),
        ([2], [1.0, 1.0], "1 indices and 2 values"),
        ([2], None, "1 indices and 0 values"),
        ([2, 3], [1.0, float("nan")], "a value that is not finite and above zero"),
        ([2, 3], [1.0, float("inf")], "a value that is not finite and above zero"),
        ([2, 3], [-1.0, 1.0], "a value that is not finite and above zero"),
        ([2, 3], [0.0, 1.0], "a value that is not finite and above zero"),
        ([2, 3], [None, 1.0], "a null among its numbers"),
        ([-1, 3], [1.0, 1.0], r"an index outside 0 to 2\*\*32 - 1"),
        ([1, 2**32], [1.0, 1.0], r"an index outside 0 to 2\*\*32 - 1"),
    ],
)
def test_a_bad_sparse_vector_is_refused_by_id(
    store: VectorStore, indices: list[int], values: list[float] | None, problem: str
) -> None:
    store.ensure_collection("articles", DIM, lexical=True)
    type_ = pa.struct({"indices": pa.list_(pa.int64()), "values": pa.list_(pa.float64())})
    rows = [
        {"indices": [1, 9], "values": [1.0, 2.0]},
        None,
        {"indices": indices, "values": values},
        {"indices": [1], "values": [1.0]},
    ]
    table = points(vectors(4), lexical=pa.array(rows, type_))
    with pytest.raises(ValueError, match=f"point {id_of(2)}: the sparse vector has {problem}"):
        store.upsert_points("articles", table)
    assert store.count("articles") == 0


@pytest.mark.parametrize("odd", [["text"], [[1, 2]], [{"indices": ["a"], "values": [1.0]}]])
def test_a_column_of_another_type_is_refused(store: VectorStore, odd: list[Any]) -> None:
    store.ensure_collection("articles", DIM, lexical=True)
    with pytest.raises(ValueError, match="column lexical: expected a struct of `indices`"):
        store.upsert_points("articles", points(vectors(1), lexical=pa.array(odd)))


def test_sparse_vectors_in_a_collection_without_them_name_the_remedy(store: VectorStore) -> None:
    filled(store, 2)
    with pytest.raises(StoreError, match="'articles' has no sparse vectors.*`lexical=True`"):
        store.upsert_points("articles", weighed([{7: 1.0}]))
    assert "lexical" not in rows_of(store)[0]


@pytest.mark.parametrize(
    ("indices", "values", "problem"),
    [
        ((3, 2), (1.0, 1.0), "not ascending"),
        ((2, 2), (1.0, 1.0), "not ascending"),
        ((2,), (float("nan"),), "not finite and above zero"),
        ((2,), (-1.0,), "not finite and above zero"),
        ((2**32,), (1.0,), "an index outside"),
    ],
)
def test_a_bad_query_names_the_collection(
    store: VectorStore, indices: tuple[int, ...], values: tuple[float, ...], problem: str
) -> None:
    lexical(store, [{7: 1.0}])
    with pytest.raises(ValueError, match=f"search in 'articles': the query has .*{problem}"):
        store.search_lexical("articles", SparseVector(indices, values), 5)
