"""The baseline and its gate."""

from datetime import UTC, datetime
from typing import Any

import pytest

from moodswarm.retrieval.evaluation import baseline
from moodswarm.retrieval.evaluation.asking import Answers
from moodswarm.retrieval.evaluation.results import Result, summarise

AT = datetime(2026, 1, 2, tzinfo=UTC)
QUESTIONS = [str(number) for number in range(40)]


def reached(found: int) -> dict[str, Result]:
    """Results where so many of 40 questions find what they expect."""
    rankings = {name: ["right" if n < found else "wrong"] for n, name in enumerate(QUESTIONS)}
    judged = {name: {"right": 1} for name in QUESTIONS}
    answers = Answers(rankings)
    answers.milliseconds["total"] = [1.0] * len(QUESTIONS)
    return summarise({"hybrid": answers}, judged, ["MRR@10"])


def compared(found: int, **changes: Any) -> dict[str, Any]:
    known = baseline.entry(reached(36), {"k": 5}, AT)
    falls = baseline.as_dicts(baseline.falls(reached(found), known))
    changed = baseline.changed_settings(known["settings"], {"k": 3})
    return {
        "recorded_at": known["recorded_at"],
        "gated": True,
        "falls": falls,
        "changed_settings": changed,
        **changes,
    }


def test_a_fall_by_more_than_the_interval_fails_the_run() -> None:
    message = (
        r"baseline of 2026-01-02.*MRR@10 of hybrid is 0\.500 \(at most 0\.\d+ by its interval\), "
        r"the baseline 0\.900; k was 5 and is 3\..*record_baseline=true"
    )
    with pytest.raises(baseline.RetrievalRegressed, match=message):
        baseline.require_no_fall(compared(20))


@pytest.mark.parametrize("found", [34, 36, 40])
def test_a_fall_within_the_interval_passes(found: int) -> None:
    baseline.require_no_fall(compared(found))


def test_an_open_gate_lets_all_pass() -> None:
    baseline.require_no_fall(compared(0, gated=False))


def test_configurations_that_the_baseline_lacks_are_not_compared() -> None:
    known = baseline.entry({}, {}, AT)
    assert baseline.falls(reached(0), known) == []


def test_baselines_come_back_from_json() -> None:
    entries = {"v1": baseline.entry(reached(36), {"k": 5}, AT)}
    assert baseline.entries_of(baseline.to_json(entries)) == entries
    assert baseline.entries_of(None) == {}


@pytest.mark.parametrize(
    "recorded", [{}, {"format": 7}, {"format": 1, "test_sets": {"v": {"measures": {"a": 1}}}}]
)
def test_an_unreadable_baseline_names_the_remedy(recorded: dict[str, Any]) -> None:
    with pytest.raises(baseline.UnreadableBaseline, match="after deleting its file"):
        baseline.entries_of(recorded)
