"""The recorded baseline for a test set, and whether a run falls below it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from moodswarm.evaluation.retrieval.results import Result

FORMAT = 1

#: The recorded baselines for one test set, by configuration.
Entries = dict[str, dict[str, Any]]


class RetrievalRegressed(ValueError):
    """A measure has fallen below its baseline by more than its interval."""


class UnreadableBaseline(ValueError):
    """The recorded baseline cannot be read; the message says what was expected, and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """One measure that has fallen below its baseline.

    Attributes:
        configuration: The name of the configuration, such as `hybrid`.
        measure: The name of the measure, such as `nDCG@10`.
        value: The value in this run.
        high: The upper end of the interval around the value, which is below `baseline`.
        baseline: The recorded value.
    """

    configuration: str
    measure: str
    value: float
    high: float
    baseline: float

    def __str__(self) -> str:
        return (
            f"{self.measure} of {self.configuration} is {self.value:.3f} (at most {self.high:.3f} "
            f"by its interval), the baseline {self.baseline:.3f}"
        )


def entry(result: Result, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a configuration: its means, and the settings behind them."""
    return {
        "settings": dict(settings),
        "measures": {name: found.as_dict() for name, found in result.measures.items()},
    }


def entries_of(recorded: Mapping[str, Any] | None) -> dict[str, Entries]:
    """Return the recorded baselines, by the version of their test set.

    Raises:
        UnreadableBaseline: the record has another format.
    """
    if recorded is None:
        return {}
    try:
        if recorded["format"] != FORMAT:
            raise ValueError(f"format {recorded['format']!r}, expected {FORMAT}")
        found = dict(recorded["test_sets"])
        for known in (entry for entries in found.values() for entry in entries.values()):
            dict(known["settings"])
            for name, interval in known["measures"].items():
                _require_number(name, interval["value"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableBaseline(
            f"catalog entry `retrieval_baseline` holds no baseline ({error}); record one with "
            "`--params retrieval_evaluation.record_baseline=true` after deleting its file"
        ) from error
    return found


def to_json(entries: Mapping[str, Entries]) -> dict[str, Any]:
    """Return the baselines as the catalog keeps them."""
    return {"format": FORMAT, "test_sets": dict(entries)}


def compare(
    results: Mapping[str, Result],
    settings: Mapping[str, Any],
    known: Entries,
    *,
    gate: bool,
    record: bool,
) -> tuple[dict[str, Any], Entries]:
    """Compare a run with the baselines for its test set; record the missing baselines.

    Args:
        results: The results of the run, by configuration.
        settings: The settings that led to the results.
        known: The baselines, by configuration; those that this run did not measure are kept.
        gate: Whether a fall should fail the run.
        record: Whether to record all configurations of this run, even those with a baseline.

    Returns:
        The comparison for the report, and the baselines to keep.
    """
    compared = [] if record else [name for name in results if name in known]
    new = {name: entry(found, settings) for name, found in results.items() if name not in compared}
    changed: dict[str, list[Any]] = {}
    for name in compared:
        changed |= changed_settings(known[name]["settings"], settings)
    found = [fall for name in compared for fall in falls(name, results[name], known[name])]
    reported = {
        "recorded": list(new),
        "compared": compared,
        "gated": gate,
        "falls": [asdict(fall) for fall in found],
        "changed_settings": changed,
    }
    return reported, {**known, **new}


def falls(name: str, result: Result, known: Mapping[str, Any]) -> list[Fall]:
    """Find the measures of a configuration whose whole interval lies below the recorded value.

    Measures that are only in the result or only in the baseline are not compared.
    """
    return [
        Fall(
            configuration=name,
            measure=measure,
            value=interval.value,
            high=interval.high,
            baseline=recorded["value"],
        )
        for measure, interval in result.measures.items()
        if (recorded := known["measures"].get(measure)) and interval.high < recorded["value"]
    ]


def changed_settings(known: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the settings that differ as [before, now], by dotted name."""
    before, after = _flat(known), _flat(now)
    return {
        name: [before.get(name), after.get(name)]
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }


def require_no_fall(compared: Mapping[str, Any]) -> None:
    """Fail if a gated comparison found falls.

    Args:
        compared: The `baseline` part of a report.

    Raises:
        RetrievalRegressed: a measure has fallen; names each such measure, both numbers, what else
            differs, and the remedy.
    """
    if not compared["falls"] or not compared["gated"]:
        return
    listed = "; ".join(str(Fall(**fall)) for fall in compared["falls"])
    changed = "".join(
        f"; {name} was {before!r} and is {now!r}"
        for name, (before, now) in compared["changed_settings"].items()
    )
    raise RetrievalRegressed(
        f"retrieval is worse than its baseline: {listed}{changed}. "
        "The report is saved. Undo the change that made it worse; or, if the change was intended, "
        "record the new baseline with `--params retrieval_evaluation.record_baseline=true`. To try "
        "settings without failing, use `--params retrieval_evaluation.gate=false`"
    )


def _require_number(name: str, value: object) -> None:
    # No measure falls below NaN: with NaN as a baseline, the gate would silently pass every run.
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{name} is {value!r}, expected a number")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
