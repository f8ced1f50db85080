"""`moodswarm import`, `export` and `delete`: move documents into and out of the document store."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from moodswarm.commands.printing import echo, one_line, print_json
from moodswarm.commands.project import Project, json_option, with_project
from moodswarm.imports.archives.reading import PLATFORMS
from moodswarm.imports.export import export_documents
from moodswarm.imports.importing import ImportReport, import_archives, import_documents
from moodswarm.imports.lines import STDIN
from moodswarm.records import KINDS
from moodswarm.records.ids import document_id
from moodswarm.records.links import canonical_link

SHOWN_FAILURES = 50


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True, path_type=Path))
@click.option("--if-empty", is_flag=True, help="Do nothing if the store already has documents.")
@click.option(
    "--from",
    "platform",
    type=click.Choice(PLATFORMS),
    help="FILES are export archives of this platform: zip files, or unpacked folders.",
)
@click.option(
    "--author",
    metavar="NAME",
    help="With --from: the full name to use instead of the one in the archive.",
)
@json_option
@with_project
def import_command(
    project: Project,
    files: tuple[Path, ...],
    if_empty: bool,
    platform: str | None,
    author: str | None,
    as_json: bool,
) -> None:
    """Load documents from FILES into the document store; repeating it changes nothing.

    Reads what `moodswarm export` writes (JSON lines, also gzipped) and the JSON of the LLM
    Engineer's Handbook, from standard input if FILES is `-`; with --from, the archives that
    LinkedIn, Medium and X send to their members. If anything is wrong, it is listed with file,
    line and reason, everything else is imported, and the exit code is 1.

    \b
    A line needs these fields and may also have title, language, published_at, path and others:
      {"kind": "article", "platform": "blog", "link": "https://example.org/tea",
       "author_full_name": "Mira Solano", "content": "# Tea ..."}

    \b
    Examples:
      moodswarm import my-articles.jsonl
      moodswarm import --from linkedin Complete_LinkedInDataExport.zip
      moodswarm import --from x twitter-archive.zip --author "Mira Solano"
    """
    if author is not None and not platform:
        raise click.UsageError("--author needs --from; JSON lines name their authors themselves")
    if platform and STDIN in files:
        raise click.UsageError("an archive cannot be read from standard input; name its file")
    if author is not None and not author.strip():
        raise click.BadParameter("the name is empty", param_hint="--author")
    if if_empty and (stored := _documents(project)):
        click.echo(f"The document store has {stored} documents; nothing imported.", err=as_json)
        if as_json:
            print_json(_as_dict(ImportReport(), archives=bool(platform)))
        return
    with _progress("importing") as advance:
        if platform:
            report = import_archives(project.documents, platform, files, author, advance)
        else:
            report = import_documents(project.documents, files, progress=advance)
    if as_json:
        print_json(_as_dict(report, archives=bool(platform)))
    else:
        _print(report)
    if report.failed:
        raise SystemExit(1)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@with_project
def export_command(project: Project, file: Path) -> None:
    """Write all documents to FILE as JSON lines; `-` writes to standard output.

    A file whose name ends in .gz is compressed. `moodswarm import` restores an identical store.

    A document that no longer has the content that was stored is left out and named, and the exit
    code is 1.
    """
    if str(file) == "-":
        report = export_documents(project.documents, sys.stdout.buffer)
        sys.stdout.buffer.flush()  # If the reader has gone, this raises now, not at exit.
    else:
        report = export_documents(project.documents, file)
    echo(f"Exported {report.documents} documents to {file}.", err=True)
    for link in report.damaged[:SHOWN_FAILURES]:
        echo(f"  damaged, left out: {link}", err=True)
    if report.damaged:
        raise click.ClickException(
            f"{len(report.damaged)} documents do not have the content that was stored. Import them "
            "again from where they came from, or from an older export"
        )


@click.command("delete")
@click.argument("links", nargs=-1, required=True, metavar="LINK...")
@json_option
@with_project
def delete_command(project: Project, links: tuple[str, ...], as_json: bool) -> None:
    """Mark the documents at LINKs as deleted; the next run removes their points.

    A link may be written in any way that leads to the same page: with http or https, with or
    without tracking parameters. If the store does not know some of the links, they are listed,
    all others are deleted, and the exit code is 1.

    A deleted document stays in the store as a tombstone, so that an older export does not bring
    it back. Importing it from a line without `updated_at` does bring it back.

    \b
    Examples:
      moodswarm delete https://example.org/tea
      kedro run --pipeline=feature                   its points are gone after this
    """
    ids, unknown = _ids(links)
    stored = {document.id for document in project.documents.get_documents(list(ids))}
    unknown += [(ids[id_], "no document has this link") for id_ in ids if id_ not in stored]
    deleted = project.documents.tombstone_documents(sorted(stored), datetime.now(UTC))
    already = len(stored) - deleted
    if as_json:
        failures = [{"link": link, "reason": reason} for link, reason in unknown]
        print_json({"deleted": deleted, "already_deleted": already, "unknown": failures})
    else:
        before = f" ({already} deleted before)" if already else ""
        echo(f"Deleted: {deleted}{before}, unknown: {len(unknown)}.")
        for link, reason in unknown:
            echo(f"  unknown: {one_line(link)}: {one_line(reason)}", err=True)
    if unknown:
        raise SystemExit(1)


def _ids(links: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return links by document id, and (link, reason) for the links that are not addresses."""
    ids: dict[str, str] = {}
    unknown = []
    for link in links:
        try:
            ids.setdefault(document_id(canonical_link(link)), link)
        except ValueError as error:
            unknown.append((link, str(error)))
    return ids, unknown


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


def _as_dict(report: ImportReport, *, archives: bool) -> dict[str, Any]:
    """Return the report as `--json` prints it; its fields depend on the kind of files."""
    place = "where" if archives else "line"
    return {
        "read": report.read,
        "inserted": report.result.inserted,
        "changed": report.result.changed,
        "unchanged": report.result.unchanged,
        **({"skipped": dict(report.skipped)} if archives else {"kept_newer": report.kept_newer}),
        "failed": [
            {"file": failure.file, place: failure.where, "reason": failure.reason}
            for failure in report.rejected
        ],
    }


def _print(report: ImportReport) -> None:
    result = report.result
    newer = f" ({report.kept_newer} newer in the store)" if report.kept_newer else ""
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(report.skipped.items()))
    skipped = f", {report.skipped.total()} skipped ({reasons})" if reasons else ""
    click.echo(
        f"Imported {report.read} documents: {result.inserted} new, {result.changed} changed, "
        f"{result.unchanged} unchanged{newer}{skipped}, {len(report.rejected)} failed."
    )
    for failure in report.rejected[:SHOWN_FAILURES]:
        echo(f"  failed: {one_line(failure)}", err=True)
    if len(report.rejected) > SHOWN_FAILURES:
        more = len(report.rejected) - SHOWN_FAILURES
        click.echo(f"  and {more} more; --json lists all", err=True)
