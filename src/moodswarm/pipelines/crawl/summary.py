"""The summary that a crawl prints."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from moodswarm.pipelines.console import console
from moodswarm.pipelines.crawl.reporting import OUTCOMES

SHOWN_FAILURES = 20
_NOT_THERE = ("http_404", "http_410", "not_found")
_STYLES = {"failed": "red", "missing": "yellow", "gone": "yellow", "new": "green"}


def print_crawl_report(report: Mapping[str, Any]) -> None:
    """Print the counts of each source, and every failure with its reason."""
    out = console()
    out.print(_table(report))
    lines = [*_reasons(report), *_left_out(report["left_out"])]
    lines += [*_failures(report["failures"]), *_refused(report["refused"])]
    for line in lines:
        out.print(line, highlight=False, soft_wrap=True)


def crawl_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the counts of a report as MLflow metrics."""
    metrics = {f"crawl.{name}": float(number) for name, number in report["totals"].items()}
    for row in report["sources"]:
        for outcome, reasons in row["reasons"].items():
            for reason, number in reasons.items():
                key = f"crawl.{outcome}.{reason}"
                metrics[key] = metrics.get(key, 0.0) + number
    return metrics


def _table(report: Mapping[str, Any]) -> Table:
    table = Table(title="What this crawl did", title_justify="left")
    table.add_column("source", overflow="fold")
    for name in ("found", *OUTCOMES):
        table.add_column(name, justify="right", style=_STYLES.get(name))
    for row in report["sources"]:
        continued = " (continued)" if row["continued"] else ""
        counts = [_number(row[name]) for name in ("found", *OUTCOMES)]
        table.add_row(escape(row["link"]) + continued, *counts)
    if len(report["sources"]) > 1:
        totals = report["totals"]
        table.add_section()
        table.add_row("all", *(_number(totals[name]) for name in ("found", *OUTCOMES)))
    return table


def _number(number: int) -> str:
    return f"{number:,}" if number else "."


def _reasons(report: Mapping[str, Any]) -> list[str]:
    skipped: dict[str, int] = {}
    for row in report["sources"]:
        for reason, number in row["reasons"].get("skipped", {}).items():
            skipped[reason] = skipped.get(reason, 0) + number
    lines = []
    if skipped:
        listed = ", ".join(f"{reason} {number:,}" for reason, number in sorted(skipped.items()))
        lines.append(f"skipped: {listed}")
    if redacted := sum(row["redacted_secrets"] for row in report["sources"]):
        lines.append(f"secrets redacted in repositories: {redacted:,}")
    return lines


def _left_out(files: list[dict[str, Any]]) -> list[str]:
    """Name the files that were skipped, except those that the settings exclude."""
    told = [file for file in files if file["reason"] != "ignored"]
    lines = [
        f"skipped: {escape(file['link'])}: {escape(file['path'])}: {escape(file['reason'])}"
        for file in told[:SHOWN_FAILURES]
    ]
    if len(told) > SHOWN_FAILURES:
        lines.append(f"and {len(told) - SHOWN_FAILURES} more files in crawl_report, left_out")
    return lines


def _failures(failures: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"failed: {escape(failure['link'])}: {_because(failure)}"
        for failure in failures[:SHOWN_FAILURES]
    ]
    if len(failures) > SHOWN_FAILURES:
        more = len(failures) - SHOWN_FAILURES
        lines.append(f"and {more} more in the catalog entry crawl_report")
    if any(failure["reason"] not in _NOT_THERE for failure in failures):
        lines.append("The next run tries the failed links again, and only those.")
    return lines


def _refused(refused: list[dict[str, Any]]) -> list[str]:
    return [f"not crawled: {escape(r['link'])}: {escape(r['detail'])}" for r in refused]


def _because(failure: Mapping[str, Any]) -> str:
    return escape(": ".join(part for part in (failure["reason"], failure["detail"]) if part))
