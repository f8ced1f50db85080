"""Every promise of the `VectorStore` protocol, on each of the three stores.

Sparse vectors are tested in `test_lexical_search.py`, conditions in `test_vector_conditions.py`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

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
from moodswarm.stores.errors import StoreError, VectorSizeMismatch
from moodswarm.stores.vectors.protocol import VectorStore

pytestmark = WARNINGS


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


# Collections


def test_ensure_twice_keeps_the_points(store: VectorStore) -> None:
    filled(store)
    store.ensure_collection("articles", DIM, ["parity"])
    assert store.count("articles") == 50


def test_ensure_can_add_a_keyword_field_later(store: VectorStore) -> None:
    filled(store)
    store.ensure_collection("articles", DIM, ["parity", "number"])
    assert store.count("articles", {"parity": ["odd"]}) == 25


@pytest.mark.parametrize("other", [DIM + 1, None])
def test_ensure_with_another_size_names_both(store: VectorStore, other: int | None) -> None:
    store.ensure_collection("articles", DIM)
    with pytest.raises(VectorSizeMismatch, match=rf"'articles' holds vectors of size {DIM}, found"):
        store.ensure_collection("articles", other)


def test_ensure_vectors_where_payloads_are_is_a_mismatch(store: VectorStore) -> None:
    store.ensure_collection("index", None)
    with pytest.raises(
        VectorSizeMismatch, match="'index' holds no vectors, found vectors of size 16"
    ):
        store.ensure_collection("index", DIM)


@pytest.mark.parametrize("name", ["", "../up", "a b", "a/b", "a.b", "é"])
def test_a_name_of_other_characters_is_refused(store: VectorStore, name: str) -> None:
    with pytest.raises(ValueError, match=r"collection name .* expected 1 to 200 letters"):
        store.ensure_collection(name, DIM)


def test_collections_are_listed_by_name_with_size_and_points(store: VectorStore) -> None:
    filled(store, 3)
    store.ensure_collection("Index_2", None)
    found = [(c.name, c.points, c.dimensions, c.indexed_vectors) for c in store.collections()]
    assert found == [("Index_2", 0, None, 0), ("articles", 3, DIM, 0)]


def test_status_counts_points_per_collection(store: VectorStore) -> None:
    filled(store, 3)
    status = store.status()
    assert status.counts == {"articles": 3}
    assert status.version[0].isdigit()


def test_a_new_store_has_no_collections(store: VectorStore) -> None:
    assert store.collections() == []
    assert store.status().counts == {}


def test_a_missing_collection_has_no_points(store: VectorStore) -> None:
    store.delete_points("articles", {"parity": ["odd"]})
    store.optimize("articles")
    assert store.count("articles") == 0
    assert list(store.scroll("articles")) == []
    assert store.search("articles", vectors(1)[0], 3) == []


def test_a_deleted_collection_is_gone_and_can_be_made_again(store: VectorStore) -> None:
    filled(store)
    store.ensure_collection("index", None)
    store.delete_collection("articles")
    store.delete_collection("articles")
    assert [collection.name for collection in store.collections()] == ["index"]
    store.ensure_collection("articles", DIM + 1)
    assert store.count("articles") == 0


def test_deleting_a_collection_that_never_was_is_fine(store: VectorStore) -> None:
    store.delete_collection("articles")
    assert store.collections() == []


def test_upsert_into_a_missing_collection_names_the_remedy(store: VectorStore) -> None:
    with pytest.raises(StoreError, match=r"no collection 'articles' in .*ensure_collection"):
        store.upsert_points("articles", points(vectors(1)))


# Writing


def test_upsert_twice_adds_once(store: VectorStore) -> None:
    filled(store)
    store.upsert_points("articles", points(vectors(50)))
    assert store.count("articles") == 50


def test_upsert_replaces_payload_and_vector(store: VectorStore) -> None:
    filled(store, 3)
    replaced = points(vectors(1, seed=9)).drop_columns(["digit", "parity"])
    store.upsert_points("articles", replaced)
    hit = store.search("articles", vectors(1, seed=9)[0], 1)[0]
    assert dict(hit.payload) == {"number": 0}
    assert hit.score == pytest.approx(1, abs=1e-5)


def test_the_last_point_of_an_id_wins_within_a_batch(store: VectorStore) -> None:
    store.ensure_collection("index", None)
    store.upsert_points("index", pa.table({"id": [id_of(1), id_of(1)], "revision": ["a", "b"]}))
    assert rows_of(store, "index") == [{"id": id_of(1), "revision": "b"}]


def test_no_points_are_fine(store: VectorStore) -> None:
    filled(store, 1)
    store.upsert_points("articles", points(vectors(1)).slice(0, 0))
    assert store.count("articles") == 1


def test_more_points_than_one_request_carries(store: VectorStore) -> None:
    filled(store, 1_203)
    assert store.count("articles") == 1_203


@pytest.mark.parametrize("size", [DIM - 1, DIM + 1])
def test_upsert_of_another_size_writes_nothing(store: VectorStore, size: int) -> None:
    filled(store, 2)
    with pytest.raises(VectorSizeMismatch, match=rf"size {DIM}, found vectors of size {size}"):
        store.upsert_points("articles", points(np.ones((3, size), np.float32), first=2))
    assert store.count("articles") == 2


def test_vectors_and_payloads_are_not_mixed_up(store: VectorStore) -> None:
    filled(store, 1)
    store.ensure_collection("index", None)
    with pytest.raises(VectorSizeMismatch, match=r"'articles' holds vectors of size 16, found no"):
        store.upsert_points("articles", points(None, count=1))
    with pytest.raises(VectorSizeMismatch, match="'index' holds no vectors, found"):
        store.upsert_points("index", points(vectors(1)))


def test_a_vector_that_is_not_finite_is_refused_by_id(store: VectorStore) -> None:
    store.ensure_collection("articles", DIM)
    rows = vectors(3)
    rows[1, 4] = np.nan
    with pytest.raises(ValueError, match=rf"{id_of(1)}: the vector holds a number .* not finite"):
        store.upsert_points("articles", points(rows))


def test_a_null_vector_is_refused_by_id(store: VectorStore) -> None:
    store.ensure_collection("articles", DIM)
    column = pa.array([[0.5] * DIM, None], pa.list_(pa.float32(), DIM))
    table = pa.table({"id": [id_of(0), id_of(1)], "vector": column})
    with pytest.raises(ValueError, match=rf"point {id_of(1)}: the vector is null"):
        store.upsert_points("articles", table)


def test_an_id_that_is_not_a_uuid_is_refused(store: VectorStore) -> None:
    store.ensure_collection("index", None)
    with pytest.raises(ValueError, match="point id 'seven': expected a uuid"):
        store.upsert_points("index", pa.table({"id": ["seven"]}))


# Payloads


def test_payloads_come_back_as_they_were(store: VectorStore) -> None:
    store.ensure_collection("index", None)
    at = pa.array([datetime(2024, 2, 3, 4, 5, 6, 789_000, UTC)], pa.timestamp("ms", tz="UTC"))
    dropped = pa.array([[("too_short", 2), ("ünïcode", 1)]], pa.map_(pa.string(), pa.int64()))
    table = pa.table(
        {
            "id": [id_of(1)],
            "text": ['Grüße, 世界 🌍\n\ttab "quoted" \\ \u2028'],
            "empty": [""],
            "big": pa.array([2**53 + 1], pa.int64()),
            "ratio": [0.1],
            "yes": [True],
            "published_at": at,
            "dropped": dropped,
            "tags": [["a", "b"]],
            "absent": pa.array([None], pa.string()),
            "never": pa.array([None], pa.timestamp("ms", tz="UTC")),
        }
    )
    store.upsert_points("index", table)
    assert rows_of(store, "index") == [
        {
            "id": id_of(1),
            "text": 'Grüße, 世界 🌍\n\ttab "quoted" \\ \u2028',
            "empty": "",
            "big": 2**53 + 1,
            "ratio": 0.1,
            "yes": True,
            "published_at": "2024-02-03T04:05:06.789000+00:00",
            "dropped": {"too_short": 2, "ünïcode": 1},
            "tags": ["a", "b"],
        }
    ]


@pytest.mark.parametrize(
    ("column", "why"),
    [(pa.array([b"x"]), "type binary has no form in JSON"), ([float("nan")], "not finite")],
)
def test_a_value_without_a_form_in_json_names_its_column(
    store: VectorStore, column: Any, why: str
) -> None:
    store.ensure_collection("index", None)
    with pytest.raises(ValueError, match=rf"payload column 'odd'.*{why}"):
        store.upsert_points("index", pa.table({"id": [id_of(1)], "odd": column}))


# Searching


def test_search_returns_the_nearest_best_first_with_cosine_scores(store: VectorStore) -> None:
    rows = filled(store)
    query = vectors(1, seed=5)[0]
    hits = store.search("articles", 7 * query, 5)
    expected = np.argsort(-(rows @ query))[:5]
    assert [hit.payload["number"] for hit in hits] == expected.tolist()
    assert [hit.score for hit in hits] == pytest.approx((rows @ query)[expected], abs=1e-5)
    assert [(hit.id, hit.collection) for hit in hits] == [(id_of(n), "articles") for n in expected]


def test_filtered_search_agrees_with_brute_force(store: VectorStore) -> None:
    rows = filled(store, 200)
    rng = np.random.default_rng(1)
    for exact in (None, True, False):
        digits = rng.choice(10, size=rng.integers(1, 6), replace=False)
        query = vectors(1, seed=int(rng.integers(1_000)))[0]
        match = {"digit": [str(d) for d in digits], "parity": ["odd"]}
        hits = store.search("articles", query, 10, match, exact)
        meets = [n for n in range(200) if n % 10 in digits and n % 2]
        expected = sorted(meets, key=lambda n: -(rows[n] @ query))[:10]
        assert [hit.payload["number"] for hit in hits] == expected


def test_ties_are_ordered_by_id_even_at_the_cut(store: VectorStore) -> None:
    store.ensure_collection("articles", DIM)
    same = np.repeat(vectors(1), 40, axis=0)
    store.upsert_points("articles", points(same))
    expected = sorted(id_of(n) for n in range(40))[:7]
    assert [hit.id for hit in store.search("articles", same[0], 7)] == expected


@pytest.mark.parametrize(("k", "found"), [(0, 0), (-1, 0), (1, 1), (99, 3)])
def test_k_bounds_the_hits(store: VectorStore, k: int, found: int) -> None:
    rows = filled(store, 3)
    assert len(store.search("articles", rows[0], k)) == found


def test_a_query_of_another_size_names_the_collection(store: VectorStore) -> None:
    filled(store, 3)
    with pytest.raises(
        VectorSizeMismatch, match=r"'articles' holds vectors of size 16, found .* 4"
    ):
        store.search("articles", np.ones(4, np.float32), 1)


def test_payloads_cannot_be_searched(store: VectorStore) -> None:
    store.ensure_collection("index", None)
    with pytest.raises(VectorSizeMismatch, match="'index' holds no vectors"):
        store.search("index", vectors(1)[0], 1)


def test_a_query_that_is_not_finite_is_refused(store: VectorStore) -> None:
    filled(store, 3)
    with pytest.raises(ValueError, match="query holds a number that is not finite"):
        store.search("articles", np.full(DIM, np.nan, np.float32), 1)


# Scrolling and counting


def test_scroll_is_ordered_by_id_in_pages(store: VectorStore) -> None:
    filled(store)
    pages = list(store.scroll("articles", page_points=20))
    assert [len(page) for page in pages] == [20, 20, 10]
    assert [row["id"] for page in pages for row in page] == sorted(id_of(n) for n in range(50))


def test_scroll_yields_only_the_fields_and_points_asked_for(store: VectorStore) -> None:
    filled(store, 4)
    found = rows_of(store, fields=["number"], match={"parity": ["odd"]})
    assert found == sorted(({"id": id_of(n), "number": n} for n in (1, 3)), key=lambda r: r["id"])
    assert rows_of(store, fields=[]) == [{"id": id_} for id_ in sorted(map(id_of, range(4)))]


def test_scroll_yields_vectors_of_unit_norm_on_request(store: VectorStore) -> None:
    store.ensure_collection("articles", DIM)
    rows = vectors(5)
    store.upsert_points("articles", points(3 * rows))
    for row in rows_of(store, with_vectors=True):
        assert row["vector"].dtype == np.float32
        np.testing.assert_allclose(row["vector"], rows[row["number"]], atol=1e-6)
    assert "vector" not in rows_of(store)[0]


def test_payloads_scroll_without_vectors(store: VectorStore) -> None:
    store.ensure_collection("index", None)
    store.upsert_points("index", points(None, count=1))
    assert set(rows_of(store, "index", with_vectors=True)[0]) == {"id", "number", "parity", "digit"}


def test_points_behind_the_cursor_may_be_deleted_and_replaced(store: VectorStore) -> None:
    filled(store)
    seen = []
    for page in store.scroll("articles", page_points=7):
        seen += [row["id"] for row in page]
        store.delete_points("articles", {"id": [row["id"] for row in page[1:]]})
        store.upsert_points("articles", points(vectors(1), first=page[0]["number"]))
    assert seen == sorted(id_of(n) for n in range(50))
    assert store.count("articles") == 8


def test_count_is_exact_under_a_filter(store: VectorStore) -> None:
    filled(store)
    assert store.count("articles", {"digit": ["1", "7"]}) == 10
    assert store.count("articles", {"digit": ["1", "2"], "parity": ["even"]}) == 5


def test_fields_without_an_index_can_be_matched(store: VectorStore) -> None:
    store.ensure_collection("index", None)
    store.upsert_points("index", points(None, count=20))
    assert store.count("index", {"digit": ["3"]}) == 2


# Lifetime


def test_flush_and_optimize_change_nothing_that_is_seen(store: VectorStore) -> None:
    rows = filled(store, 100)
    before = store.search("articles", rows[3], 5)
    store.flush()
    store.optimize("articles")
    assert store.search("articles", rows[3], 5) == before


def test_closing_twice_is_fine_and_use_afterwards_is_not(store: VectorStore) -> None:
    filled(store, 1)
    store.close()
    store.close()
    with pytest.raises(StoreError, match=r"is closed; open it again"):
        store.count("articles")
