"""`moodswarm import` and `moodswarm export`: documents in and out of the document store."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from moodswarm.commands.project import Project, json_option, print_json, with_project
from moodswarm.records import KINDS
from moodswarm.stores.backup import ImportReport, export_documents, import_documents

SHOWN_FAILURES = 50


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--if-empty", is_flag=True, help="Do nothing when the store already has documents.")
@json_option
@with_project
def import_command(
    project: Project, files: tuple[Path, ...], if_empty: bool, as_json: bool
) -> None:
    """Load documents from FILES into the document store; doing so twice changes nothing.

    Reads what `moodswarm export` writes (JSON lines, also gzipped) and the JSON of the LLM
    Engineer's Handbook. Whatever is wrong is listed with file, line and reason, everything else
    is kept, and the exit code is 1.

    \b
    A line needs these fields, and may have title, language, published_at, path and others:
      {"kind": "article", "platform": "blog", "link": "https://example.org/tea",
       "author_full_name": "Mira Solano", "content": "# Tea ..."}
    """
    if if_empty and (stored := _documents(project)):
        click.echo(f"The document store has {stored} documents; nothing imported.")
        return
    with _progress("importing") as advance:
        report = import_documents(project.documents, files, progress=advance)
    if as_json:
        print_json(_as_dict(report))
    else:
        _print(report)
    if report.failed:
        raise SystemExit(1)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@with_project
def export_command(project: Project, file: Path) -> None:
    """Write all documents to FILE as JSON lines; `-` writes to standard output.

    A name that ends in .gz is compressed. `moodswarm import` brings back an identical store.
    """
    if str(file) == "-":
        count = export_documents(project.documents, sys.stdout.buffer)
    else:
        count = export_documents(project.documents, file)
    click.echo(f"Exported {count} documents to {file}.", err=True)


def _documents(project: Project) -> int:
    counts = project.documents.status().counts
    return sum(counts.get(name, 0) for name in (*KINDS, "deleted"))


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done: bar.update(task, completed=done)


def _as_dict(report: ImportReport) -> dict[str, Any]:
    return {
        "read": report.read,
        "inserted": report.result.inserted,
        "changed": report.result.changed,
        "unchanged": report.result.unchanged,
        "kept_newer": report.kept_newer,
        "failed": [
            {"file": failure.file, "line": failure.line, "reason": failure.reason}
            for failure in report.rejected
        ],
    }


def _print(report: ImportReport) -> None:
    result = report.result
    newer = f" ({report.kept_newer} newer in the store)" if report.kept_newer else ""
    click.echo(
        f"Imported {report.read} documents: {result.inserted} new, {result.changed} changed, "
        f"{result.unchanged} unchanged{newer}, {len(report.rejected)} failed."
    )
    for failure in report.rejected[:SHOWN_FAILURES]:
        click.echo(f"  failed: {failure}", err=True)
    if len(report.rejected) > SHOWN_FAILURES:
        click.echo(
            f"  and {len(report.rejected) - SHOWN_FAILURES} more; --json lists all", err=True
        )
