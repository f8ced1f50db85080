"""Conditions on points: deleting, counting and scrolling select the right points."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
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
from moodswarm.records.sparse import SPARSE_TYPE, SparseVector
from moodswarm.stores.vectors.protocol import TimeRange, VectorStore

ELSEWHERE = timezone(timedelta(hours=9))
pytestmark = WARNINGS


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with open_store(request.param, tmp_path) as opened:
        yield opened


def numbers(store: VectorStore, **options: Any) -> set[int]:
    return {row["number"] for row in rows_of(store, **options)}


# Deleting


def test_delete_takes_every_point_that_meets_all_fields(store: VectorStore) -> None:
    filled(store)
    store.delete_points("articles", {"parity": ["odd"], "digit": ["1", "2", "3"]})
    assert numbers(store) == {n for n in range(50) if n % 10 not in (1, 3)}


def test_delete_spares_what_meets_all_of_unless(store: VectorStore) -> None:
    filled(store)
    store.delete_points("articles", {"parity": ["odd"]}, unless={"digit": ["1", "3"]})
    assert numbers(store) == {n for n in range(50) if n % 2 == 0 or n % 10 in (1, 3)}
    store.delete_points("articles", {"digit": ["3"]}, unless={"digit": ["3"], "parity": ["even"]})
    assert store.count("articles", {"digit": ["3"]}) == 0


def test_unless_with_an_absent_field_spares_nothing(store: VectorStore) -> None:
    filled(store)
    store.delete_points("articles", {"parity": ["odd"]}, unless={"revision": ["now"]})
    assert store.count("articles") == 25


def test_no_values_meet_nothing(store: VectorStore) -> None:
    filled(store)
    store.delete_points("articles", {"parity": []})
    assert store.count("articles") == 50
    assert store.count("articles", {"digit": []}) == 0


def test_a_bare_string_is_not_a_list_of_characters(store: VectorStore) -> None:
    filled(store, 2)
    with pytest.raises(TypeError, match="'parity': expected a list of values, found the string"):
        store.delete_points("articles", {"parity": "odd"})


def test_points_can_be_matched_by_id(store: VectorStore) -> None:
    filled(store)
    store.delete_points("articles", {"id": [id_of(3), id_of(4), "unknown"]})
    assert numbers(store) == set(range(50)) - {3, 4}
    assert store.count("articles", {"id": ["unknown"]}) == 0


# Matching whole numbers and times


def test_points_can_be_matched_by_whole_numbers(store: VectorStore) -> None:
    rows = filled(store)
    match = {"number": [3, 4, 99], "parity": ["even"]}
    assert numbers(store, match=match) == {4}
    assert [hit.id for hit in store.search("articles", rows[0], 9, match)] == [id_of(4)]
    assert store.count("articles", {"number": [1, 2, 3]}) == 3
    store.delete_points("articles", {"number": [1, 2, 3]}, unless={"number": [2]})
    assert store.count("articles", {"number": [1, 2, 3]}) == 1


NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)


def dated(store: VectorStore, indexed: bool) -> np.ndarray:
    """Write points; number n was published n hours before noon, but every fifth has no time."""
    rows = vectors(20)
    times = [None if n % 5 == 4 else NOON - timedelta(hours=n) for n in range(20)]
    fields = ["published_at"] if indexed else []
    store.ensure_collection("articles", DIM, lexical=True, time_fields=fields)
    column = pa.array(times, pa.timestamp("ms", tz="UTC"))
    words = pa.array([{"indices": [7], "values": [1.0]}] * 20, SPARSE_TYPE)
    store.upsert_points("articles", points(rows, published_at=column, lexical=words))
    return rows


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    ("times", "inside"),
    [
        (TimeRange(since=NOON - timedelta(hours=2)), {0, 1, 2}),
        (TimeRange(until=NOON - timedelta(hours=16)), {17, 18}),
        (TimeRange(NOON - timedelta(hours=6), NOON - timedelta(hours=3)), {5, 6}),
        (TimeRange(since=(NOON - timedelta(hours=1)).astimezone(ELSEWHERE)), {0, 1}),
        (TimeRange(NOON, NOON - timedelta(hours=3)), set()),
        (TimeRange(since=NOON + timedelta(microseconds=1)), set()),
    ],
)
def test_a_time_range_holds_its_beginning_and_not_its_end(
    store: VectorStore, indexed: bool, times: TimeRange, inside: set[int]
) -> None:
    rows, match = dated(store, indexed), {"published_at": times}
    assert numbers(store, match=match) == inside
    assert store.count("articles", match) == len(inside)
    asked = SparseVector((7,), (1.0,))
    for hits in (
        store.search("articles", rows[0], 20, match),
        store.search_lexical("articles", asked, 20, match),
    ):
        assert {hit.payload["number"] for hit in hits} == inside
    store.delete_points("articles", match)
    assert store.count("articles") == 20 - len(inside)


def test_a_time_field_can_be_indexed_later(store: VectorStore) -> None:
    dated(store, indexed=False)
    store.ensure_collection("articles", DIM, time_fields=["published_at"])
    assert store.count("articles", {"published_at": TimeRange(since=NOON)}) == 1


@pytest.mark.parametrize(
    ("field", "values", "error", "words"),
    [
        (
            "number",
            [1, "2"],
            TypeError,
            "'number': expected text, or .*, found int, str",
        ),
        ("number", [1.5], TypeError, "expected text, or whole numbers, found float"),
        ("number", [True], TypeError, "expected text, or whole numbers, found bool"),
        ("id", [1], TypeError, "'id': expected text, found int"),
        ("published_at", TimeRange(), ValueError, "a time range with `since` or `until`"),
        ("published_at", TimeRange(datetime(2024, 1, 1)), ValueError, "a zone, found 2024-01-01"),  # noqa: DTZ001
    ],
)
def test_a_condition_that_means_nothing_is_refused(
    store: VectorStore, field: str, values: Any, error: type[Exception], words: str
) -> None:
    filled(store, 2)
    with pytest.raises(error, match=words):
        store.count("articles", {field: values})
