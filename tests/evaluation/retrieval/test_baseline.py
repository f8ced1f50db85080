"""The baseline of a test set, and the gate that a run has to pass."""

from typing import Any

import pytest

from moodswarm.evaluation.retrieval import baseline
from moodswarm.evaluation.retrieval.rankings import Rankings
from moodswarm.evaluation.retrieval.results import Result, summarise

QUESTIONS = [str(number) for number in range(40)]


def reached(found: int) -> dict[str, Result]:
    """Return results in which `found` of 40 questions find the expected document."""
    by_question = {name: ["right" if n < found else "wrong"] for n, name in enumerate(QUESTIONS)}
    judged = {name: {"right": 1} for name in QUESTIONS}
    rankings = Rankings(by_question)
    rankings.milliseconds["total"] = [1.0] * len(QUESTIONS)
    return summarise({"hybrid": rankings}, judged, ["MRR@10"])


def compared(found: int, *, gate: bool = True) -> dict[str, Any]:
    known = {"hybrid": baseline.entry(reached(36)["hybrid"], {"k": 5})}
    return baseline.compare(reached(found), {"k": 3}, known, gate=gate, record=False)[0]


def test_a_fall_by_more_than_the_interval_fails_the_run() -> None:
    message = (
        r"worse than its baseline: MRR@10 of hybrid is 0\.500 \(at most 0\.\d+ by its interval\), "
        r"the baseline 0\.900; k was 5 and is 3\..*record_baseline=true"
    )
    with pytest.raises(baseline.RetrievalRegressed, match=message):
        baseline.require_no_fall(compared(20))


@pytest.mark.parametrize("found", [34, 36, 40])
def test_a_fall_within_the_interval_passes(found: int) -> None:
    baseline.require_no_fall(compared(found))


def test_an_open_gate_lets_all_pass() -> None:
    baseline.require_no_fall(compared(0, gate=False))


def test_a_configuration_has_its_baseline_from_the_first_run_that_measures_it() -> None:
    known = {"dense": baseline.entry(reached(36)["hybrid"], {"k": 5})}
    reported, kept = baseline.compare(reached(30), {"k": 3}, known, gate=True, record=False)
    assert (reported["recorded"], reported["compared"]) == (["hybrid"], [])
    assert kept == known | {"hybrid": baseline.entry(reached(30)["hybrid"], {"k": 3})}


def test_recording_keeps_the_baselines_of_what_was_not_measured() -> None:
    known = {name: baseline.entry(reached(36)["hybrid"], {}) for name in ("dense", "hybrid")}
    reported, kept = baseline.compare(reached(10), {}, known, gate=True, record=True)
    assert reported["falls"] == []
    assert kept["dense"] == known["dense"]
    assert kept["hybrid"] != known["hybrid"]


def test_measures_that_the_baseline_lacks_are_not_compared() -> None:
    assert baseline.falls("hybrid", reached(0)["hybrid"], {"settings": {}, "measures": {}}) == []


def test_baselines_come_back_from_json() -> None:
    entries = {"v1": {"hybrid": baseline.entry(reached(36)["hybrid"], {"k": 5})}}
    assert baseline.entries_of(baseline.to_json(entries)) == entries
    assert baseline.entries_of(None) == {}


@pytest.mark.parametrize(
    "recorded",
    [
        {},
        {"format": 7},
        {"format": 1, "test_sets": {"v": {"dense": {"measures": {}}}}},
        {"format": 1, "test_sets": {"v": {"dense": {"settings": {}, "measures": {"a": 1}}}}},
    ],
)
def test_an_unreadable_baseline_names_the_remedy(recorded: dict[str, Any]) -> None:
    with pytest.raises(baseline.UnreadableBaseline, match="after deleting its file"):
        baseline.entries_of(recorded)


@pytest.mark.parametrize("value", ["0.5", float("nan"), True, None])
def test_a_baseline_that_nothing_can_fall_under_is_refused(value: object) -> None:
    entries = {"v": {"dense": {"settings": {}, "measures": {"MRR@10": {"value": value}}}}}
    with pytest.raises(baseline.UnreadableBaseline, match=r"MRR@10 is .*, expected a number"):
        baseline.entries_of(baseline.to_json(entries))
