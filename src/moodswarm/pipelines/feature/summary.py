"""The summary that a feature run prints."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from moodswarm.pipelines.console import command, console


def print_feature_report(
    report: Mapping[str, Any], seconds: Mapping[str, float], env: str | None
) -> None:
    """Print what the run did and what to try next."""
    table = Table(show_header=False, title="What this run did", title_justify="left")
    for name, value in summary_rows(report, seconds):
        table.add_row(name, value)
    out = console()
    out.print(table)
    option = f" --env {env}" if env and env != "local" else ""
    out.print(
        f'Search it: {command()}{option} search "your question"', highlight=False, soft_wrap=True
    )


def summary_rows(report: Mapping[str, Any], seconds: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the lines of the summary as (name, value)."""
    documents = ", ".join(f"{n:,} {status}" for status, n in report["documents"].items())
    stages = ", ".join(f"{node.split('_')[0]} {value:.1f}" for node, value in seconds.items())
    rows = [
        ("documents", documents),
        ("rejected", _reasons(report["rejected"], report["still_rejected"])),
        ("characters dropped", _counts(report["dropped_characters"])),
        ("chunks", f"{report['chunks']:,} of {report['tokens']:,} tokens"),
        ("over the model's limit", f"{report['over_limit_chunks']:,}"),
        ("source covered", f"{report['coverage']:.2%} of the cleaned text"),
        ("collections", _counts(report["collections"])),
        ("seconds", stages),
    ]
    return [row for row in rows if row[1]]


def _reasons(rejected: Mapping[str, int], still: Mapping[str, int]) -> str:
    earlier = f"; in earlier runs: {_counts(still)}" if still else ""
    return f"{_counts(rejected)}{earlier}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "none"
