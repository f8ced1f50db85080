"""The report counts chunks, and the characters that no chunk covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.text.chunk_report import (
    ChunkStatistics,
    Distribution,
    uncovered_characters,
    visible_characters,
)


def test_a_chunk_over_the_limit_fails_the_report() -> None:
    statistics = ChunkStatistics(limit=256)
    statistics.add([256, 10], [1000, 40], [0, 1])
    assert (statistics.passed, statistics.unknown_tokens) == (True, 1)
    statistics.add([257], [1001], [0])
    assert (statistics.passed, statistics.over_limit, statistics.chunks) == (False, 1, 3)


def test_a_report_without_chunks_has_no_distribution() -> None:
    report = ChunkStatistics(limit=256).as_dict()
    assert (report["chunks"], report["tokens"], report["passed"]) == (0, None, True)


@given(st.lists(st.integers(0, 300), min_size=1))
def test_a_distribution_is_that_of_the_sorted_values(values: list[int]) -> None:
    counts = {value: values.count(value) for value in values}
    found = Distribution.of(counts)
    ordered = sorted(values)
    assert (found.minimum, found.maximum) == (ordered[0], ordered[-1])
    assert found.median == ordered[(len(values) - 1) // 2]
    assert found.mean == round(sum(values) / len(values), 1)


@pytest.mark.parametrize(
    ("spans", "missed"),
    [
        ([(0, 11)], 0),
        ([(0, 5), (6, 11)], 0),
        ([(0, 5)], 5),
        ([(6, 11)], 5),
        ([(0, 7), (3, 6)], 4),
        ([], 10),
    ],
)
def test_uncovered_characters_are_those_in_no_span(
    spans: list[tuple[int, int]], missed: int
) -> None:
    assert uncovered_characters("hello world", spans) == missed


@given(st.text())
def test_without_chunks_every_visible_character_is_uncovered(text: str) -> None:
    assert uncovered_characters(text, []) == visible_characters(text)
