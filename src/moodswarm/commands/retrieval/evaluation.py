"""The steps of `moodswarm retrieval evaluate`."""

import hashlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from rich.table import Table

from moodswarm.commands.printing import echo
from moodswarm.commands.project import Project
from moodswarm.commands.retrieval.corpus import CorpusCounts, WorkCorpus
from moodswarm.evaluation.retrieval.configurations import (
    configurations,
    with_candidates,
)
from moodswarm.evaluation.retrieval.public_collection import (
    Judged,
    existing,
    join_judgements,
    read_documents,
    read_judgements,
    read_queries,
)
from moodswarm.evaluation.retrieval.rankings import Rankings, Retrievers, ask_all, going_deeper
from moodswarm.evaluation.retrieval.results import summarise
from moodswarm.pipelines.console import console
from moodswarm.pipelines.retrieval_evaluation.summary import print_results
from moodswarm.records.ids import document_id
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.stores.folder_lock import FolderLock
from moodswarm.stores.vectors.protocol import Hit

#: How many documents are ranked for each query: Recall@100 needs 100.
DEPTH = 100
LOCK_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a test collection."""

    corpus: Path
    queries: Path
    qrels: Path


def evaluate(
    project: Project,
    files: Files,
    kind: str,
    wanted: Sequence[str],
    work: Path | None,
    limit_queries: int | None,
) -> dict[str, Any]:
    """Import the corpus, make its features, ask all queries, and measure the results.

    Returns:
        The report that `show` prints: `counts`, `configurations`, `seconds`, `work`, `parameters`.
    """
    # Files that are quick to read are checked before a corpus is embedded.
    queries = read_queries(files.queries)
    judgements = read_judgements(files.qrels)
    join_judgements(queries, judgements, set(), limit_queries)
    parameters = project.config["parameters"]
    settings = configurations(project.retrieval, wanted)
    folder = (work or default_folder(project.root, files.corpus, kind)).resolve()
    echo(f"Stores of this collection: {folder}", err=True)
    seconds: dict[str, float] = {}
    corpus = WorkCorpus(folder, project.config["catalog"], parameters)
    lock = FolderLock(folder, LOCK_TIMEOUT_SECONDS, remedy="name another folder with --work")
    with lock, closing(corpus), _quiet():
        named, rejected = _fill(corpus, files.corpus, kind, seconds)
        counts = _features(corpus, seconds)
        known = {*named.values(), *rejected}
        judged = join_judgements(queries, judgements, known, limit_queries)
        models = Retrievers(corpus.vectors, project.embedder, project.lexical)
        with _timed(seconds, "search"), models as retrievers:
            rankings = _ask(retrievers, settings, judged, named)
    results = summarise(rankings, judged.judgements)
    return {
        "counts": _counts(counts, rejected, judged, len(queries)),
        "configurations": {name: found.as_dict() for name, found in results.items()},
        "queries": {name: found.scores for name, found in results.items()},
        "seconds": seconds,
        "work": str(folder),
        "parameters": {name: found.model_dump(mode="json") for name, found in settings.items()},
    }


def default_folder(root: Path, corpus: Path, kind: str) -> Path:
    """Return the folder in which the stores of a corpus are kept between runs.

    It is named after the content of the corpus, so that a changed corpus gets stores of its own.

    Raises:
        UnusableCollection: the corpus file does not exist.
    """
    with existing(corpus).open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    return root / "data" / "08_reporting" / "retrieval" / f"{content[:16]}-{kind}"


def show(report: Mapping[str, Any]) -> None:
    """Print the tables of a report."""
    out = console()
    counts = Table(show_header=False, title="Collection", title_justify="left")
    for name, value in report["counts"].items():
        if value or name in ("documents", "queries asked"):
            counts.add_row(name, _shown(value))
    counts.add_row("seconds", _shown({name: round(s, 1) for name, s in report["seconds"].items()}))
    out.print(counts)
    print_results(report["configurations"])


def write_json(report: Mapping[str, Any], path: Path) -> None:
    """Write all numbers of a report to a file, those for single queries included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _fill(
    corpus: WorkCorpus, path: Path, kind: str, seconds: dict[str, float]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the collection's ids by document, and why some ids became no document."""
    named: dict[str, str] = {}
    rejected: dict[str, str] = {}
    with (
        _timed(seconds, "import"),
        click.progressbar(
            read_documents(path, kind, rejected, named),
            label="Importing",
            file=sys.stderr,
        ) as reader,
    ):
        failed = corpus.fill(reader)
    ids = {document_id(link): reason for link, reason in failed.items()}
    rejected |= {named.pop(name): reason for name, reason in ids.items() if name in named}
    return named, rejected


def _features(corpus: WorkCorpus, seconds: dict[str, float]) -> CorpusCounts:
    with _timed(seconds, "features"):
        return corpus.make_features(lambda done, of: echo(f"  {done:,} of {of:,}", err=True))


def _ask(
    retrievers: Retrievers,
    settings: Mapping[str, RetrievalParams],
    judged: Judged,
    named: Mapping[str, str],
) -> dict[str, Rankings]:
    def document(hit: Hit) -> str:
        return named[hit.payload["document_id"]]

    def ask(params: RetrievalParams, advance: Callable[[], None]) -> Rankings:
        return ask_all(
            retrievers.open(with_candidates(params, DEPTH)),
            judged.queries.items(),
            k=DEPTH,
            name_of=document,
            deeper=going_deeper(lambda k: retrievers.open(with_candidates(params, k)), document),
            on_question=advance,
        )

    length = len(settings) * len(judged.queries)
    with click.progressbar(length=length, label="Asking", file=sys.stderr) as bar:
        return {
            name: ask(params.ranking_only(), lambda: bar.update(1))
            for name, params in settings.items()
        }


def _counts(
    counts: CorpusCounts,
    rejected: Mapping[str, str],
    judged: Judged,
    queries: int,
) -> dict[str, Any]:
    reasons = Counter(counts.rejected)
    reasons.update({"not storable": len(rejected)} if rejected else {})
    return {
        "documents": counts.documents + len(rejected),
        "rejected": dict(reasons),
        "embedded in this run": counts.embedded_now,
        "chunks": counts.chunks,
        "queries": queries,
        "queries asked": len(judged.queries),
        "queries without a judgement": judged.unjudged,
        "queries without a relevant document": judged.without_relevant,
        "judged queries that are not there": len(judged.unknown_queries),
        "judgements of unknown documents": judged.unknown_documents,
    }


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {number:,}" for name, number in value.items())
    return f"{value:,}"


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = perf_counter()
    yield
    seconds[name] = perf_counter() - started


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the lines that Kedro logs for every node and dataset."""
    logger = logging.getLogger("kedro")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
