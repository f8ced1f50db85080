"""The tables that an evaluation prints, and its numbers for MLflow."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from moodswarm.pipelines.console import command, console

# Stages in the order in which a question passes through them; any others are shown after these.
_STAGES = (
    "self_query",
    "expansion",
    "embed",
    "dense",
    "lexical",
    "fusion",
    "read",
    "rerank",
    "neighbours",
    "context",
)


def print_retrieval_report(report: Mapping[str, Any], env: str | None) -> None:
    """Print how good retrieval is on questions about your own corpus."""
    out = console()
    found = report["questions"]
    types = ", ".join(f"{name} {count:,}" for name, count in found["types"].items())
    gone = f"; {found['dropped']:,} left out as their chunks are gone" if found["dropped"] else ""
    out.print(
        f"Retrieval on {found['count']:,} questions about your own corpus ({types}), "
        f"{found['new']:,} of them new{gone}",
        highlight=False,
    )
    if found["unwritten"]:
        reasons = ", ".join(f"{name} {count:,}" for name, count in found["unwritten"].items())
        out.print(f"The model wrote no question for some chunks: {reasons}", highlight=False)
    print_results(report["configurations"])
    out.print(baseline_line(report["baseline"]), highlight=False)
    if report["baseline"]["compared"]:
        out.print(settings_line(report["baseline"]["changed_settings"]), highlight=False)
    option = f" --env {env}" if env and env != "local" else ""
    out.print(
        f'Look at one question: {command()}{option} ask "..." --explain',
        highlight=False,
        soft_wrap=True,
    )


def print_results(configurations: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the tables, and what went wrong while they were measured."""
    out = console()
    for table in result_tables(configurations):
        out.print(table)
    for name, found in configurations.items():
        if found["refused"]:
            first = next(iter(found["refused"].items()))
            text = f"{name}: {len(found['refused']):,} could not be asked and count as 0, such as "
            out.print(f"{text}{first[0]}: {first[1]}", highlight=False, markup=False)
        for reason, times in found["degraded"].items():
            out.print(f"{name}: {times:,} times {reason}", highlight=False, markup=False)


def result_tables(configurations: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    """Return the measures, the differences to the reference, and the milliseconds per stage."""
    tables = [_measures(configurations)]
    if any(found["differences"] for found in configurations.values()):
        tables.append(_differences(configurations))
    return [*tables, _milliseconds(configurations)]


def baseline_line(baseline: Mapping[str, Any]) -> str:
    """Say how the run compares with the recorded baseline."""
    recorded = ", ".join(baseline["recorded"])
    if not baseline["compared"]:
        return f"Recorded as the baseline of these questions: {recorded}."
    gate = "" if baseline["gated"] else " (the gate is off)"
    count = len(baseline["falls"])
    falls = "No measure is" if not count else f"{count} measure{'s are' if count > 1 else ' is'}"
    new = f" Recorded for the first time: {recorded}." if recorded else ""
    return f"{falls} under the baseline of {', '.join(baseline['compared'])}{gate}.{new}"


def settings_line(changed: Mapping[str, Sequence[Any]]) -> str:
    """Say which settings differ from the baseline's, which shows if one was misspelt."""
    if not changed:
        return "All settings are those of the baseline."
    listed = ", ".join(f"{name} {now} (was {before})" for name, (before, now) in changed.items())
    return f"Settings other than those of the baseline: {listed}."


def retrieval_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Flatten a report into MLflow metrics, such as `hybrid.nDCG_10` and `hybrid.total.p50_ms`.

    MLflow allows no `@` in a name.
    """
    metrics: dict[str, float] = {"questions": report["questions"]["count"]}
    for name, found in report["configurations"].items():
        for measure, interval in found["measures"].items():
            key = f"{name}.{measure.replace('@', '_')}"
            metrics |= {
                key: interval["value"],
                f"{key}.low": interval["low"],
                f"{key}.high": interval["high"],
            }
        for stage, spent in found["milliseconds"].items():
            metrics |= {f"{name}.{stage}.{key}_ms": value for key, value in spent.items()}
        metrics[f"{name}.degraded"] = sum(found["degraded"].values())
    return metrics


def _measures(configurations: Mapping[str, Mapping[str, Any]]) -> Table:
    names = _names(configurations, "measures")
    table = Table(
        "configuration", *names, title="Measures, with 95 % intervals", title_justify="left"
    )
    for name, found in configurations.items():
        cells = [_interval(found["measures"][measure]) for measure in names]
        table.add_row(name, *cells)
    return table


def _differences(configurations: Mapping[str, Mapping[str, Any]]) -> Table:
    names = _names(configurations, "differences")
    title = "Difference to dense, paired by question; * where the interval leaves 0 out"
    table = Table("configuration", *names, title=title, title_justify="left")
    for name, found in configurations.items():
        if found["differences"]:
            cells = [_difference(found["differences"][measure]) for measure in names]
            table.add_row(name, *cells)
    return table


def _milliseconds(configurations: Mapping[str, Mapping[str, Any]]) -> Table:
    known = {stage for found in configurations.values() for stage in found["milliseconds"]}
    # Stages that are not listed come before `total`, the sum of all stages.
    places = {name: place for place, name in enumerate(_STAGES)} | {"total": len(_STAGES) + 1}
    title = "Milliseconds, p50 / p95"
    table = Table("stage", *configurations, title=title, title_justify="left")
    for stage in sorted(known, key=lambda name: (places.get(name, len(_STAGES)), name)):
        spent = [found["milliseconds"].get(stage) for found in configurations.values()]
        table.add_row(stage, *[f"{s['p50']:.1f} / {s['p95']:.1f}" if s else "" for s in spent])
    return table


def _names(configurations: Mapping[str, Mapping[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(name for found in configurations.values() for name in found[key]))


def _interval(found: Mapping[str, float]) -> str:
    return f"{found['value']:.3f}\n{found['low']:.3f} to {found['high']:.3f}"


def _difference(found: Mapping[str, float]) -> str:
    sure = "*" if found["low"] > 0 or found["high"] < 0 else ""
    return f"{found['value']:+.3f}{sure}\n{found['low']:+.3f} to {found['high']:+.3f}"
