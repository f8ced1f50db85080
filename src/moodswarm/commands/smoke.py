"""`moodswarm smoke`: does every configured store and model respond?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from moodswarm.commands.printing import print_json
from moodswarm.commands.project import KNOWN_ERRORS, Project, json_option, with_project
from moodswarm.pipelines.console import console
from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.status import StoreStatus
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.stores.verification import verify_documents, verify_points


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of trying out one store or model."""

    name: str
    reachable: bool
    detail: str
    counts: dict[str, int] = field(default_factory=dict)


@click.command("smoke")
@click.option(
    "--deep",
    is_flag=True,
    help="Read every document and every point too, and find those that are damaged.",
)
@json_option
@with_project
def smoke_command(project: Project, deep: bool, as_json: bool) -> None:
    """Try each configured store and model, and say what is wrong and how to fix it.

    The language model is not called, because that may cost money; `moodswarm llm check` calls it.
    The exit code is 1 if something does not respond.
    """
    _ = project.config  # An unknown environment would fail every check, so it is reported once.
    findings = [
        _try("document store", lambda: _documents(project.documents, deep)),
        _try("vector store", lambda: _vectors(project.vectors, deep)),
        _try("embedding model", lambda: (_model(project), {})),
        _try("reranker", lambda: (_reranker(project), {})),
        _try("language model", lambda: (_language_model(project), {})),
    ]
    findings = [finding for finding in findings if finding.detail]
    if as_json:
        print_json(
            [
                {"name": f.name, "reachable": f.reachable, "detail": f.detail, "counts": f.counts}
                for f in findings
            ]
        )
    else:
        table = Table("what", "", "detail", "counts")
        for finding in findings:
            sign = "[green]ok[/green]" if finding.reachable else "[red]FAILED[/red]"
            counts = ", ".join(f"{name} {count:,}" for name, count in finding.counts.items())
            table.add_row(finding.name, sign, escape(finding.detail), counts)
        console().print(table)
    if not all(finding.reachable for finding in findings):
        raise SystemExit(1)


def _try(name: str, attempt: Callable[[], tuple[str, dict[str, int]]]) -> Finding:
    try:
        detail, counts = attempt()
    except KNOWN_ERRORS as error:
        return Finding(name, False, str(error))
    return Finding(name, True, detail, counts)


def _documents(store: DocumentDatabase, deep: bool) -> tuple[str, dict[str, int]]:
    if deep:
        verify_documents(store)
    return _store(store.status())


def _vectors(store: VectorStore, deep: bool) -> tuple[str, dict[str, int]]:
    if deep:
        verify_points(store)
    return _store(store.status())


def _store(status: StoreStatus) -> tuple[str, dict[str, int]]:
    return f"{status.backend} {status.version} at {status.location}", dict(status.counts)


def _model(project: Project) -> str:
    embedder = project.embedder
    vector: Any = embedder.embed_query("Does the model answer?")
    return (
        f"{embedder.checkpoint.name}, vectors of {len(vector)}, "
        f"{embedder.tokenizer.max_tokens} tokens at most, from {embedder.checkpoint.path}"
    )


def _reranker(project: Project) -> str:
    """Score one pair; the result is empty if reranking is off."""
    reranker = project.reranker
    if reranker is None:
        return ""
    (score,) = reranker.score("Does the model answer?", ["It does."])
    return f"{reranker.name}, score of a test pair {score:.2f}"


def _language_model(project: Project) -> str:
    """Check the profile, its key and its package; the result is empty if none is chosen."""
    from moodswarm.llm.profiles import describe

    profile = describe(project.llm_settings)
    if profile is None:
        return ""
    project.chat()
    where = f" at {profile.address}" if profile.address else ""
    return (
        f"profile {profile.name}: {profile.model} of {profile.provider}{where}, not called; "
        "`moodswarm llm check` calls it"
    )
