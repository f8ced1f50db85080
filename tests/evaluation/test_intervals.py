"""Means with their intervals."""

import pytest

from moodswarm.evaluation.intervals import difference_interval, mean_interval


def test_an_interval_holds_its_mean_and_is_the_same_twice() -> None:
    values = [0.0, 1.0, 0.5, 0.25] * 10
    found = mean_interval(values, seed=3)
    assert found.low < found.value == 0.4375 < found.high
    assert found == mean_interval(values, seed=3)


def test_more_questions_give_a_narrower_interval() -> None:
    few, many = mean_interval([0.0, 1.0] * 10), mean_interval([0.0, 1.0] * 1000)
    assert many.high - many.low < (few.high - few.low) / 5


def test_a_paired_difference_is_surer_than_its_parts() -> None:
    before = {str(n): n / 100 for n in range(100)}
    after = {name: value + 0.01 for name, value in before.items()}
    found = difference_interval(after, before)
    assert found.low > 0
    assert found.value == pytest.approx(0.01)


def test_scores_of_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="ask both the same"):
        difference_interval({"a": 1.0}, {"b": 1.0})


def test_a_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one value per question"):
        mean_interval([])
