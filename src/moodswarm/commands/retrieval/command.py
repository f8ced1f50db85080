"""`moodswarm retrieval evaluate`: measures retrieval on a public test collection."""

from pathlib import Path
from typing import Any

import click

from moodswarm.commands.project import Project, with_project
from moodswarm.evaluation.retrieval.configurations import CONFIGURATIONS
from moodswarm.records import KINDS

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("retrieval")
def retrieval_group() -> None:
    """Measure retrieval. On your own corpus: kedro run --pipeline=retrieval_evaluation."""


@retrieval_group.command("evaluate")
@click.option(
    "--corpus", required=True, type=_FILE, help="JSON lines with `id`, `text`, and maybe `title`."
)
@click.option("--queries", required=True, type=_FILE, help="JSON lines with `id` and `text`.")
@click.option(
    "--qrels",
    required=True,
    type=_FILE,
    help="Judgements: `query 0 document relevance` (TREC), or BEIR's three columns with a header.",
)
@click.option(
    "--configuration",
    "wanted",
    type=click.Choice(CONFIGURATIONS),
    multiple=True,
    help="Only this one; repeatable.  [default: all, hybrid_rerank where reranking is on]",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="article",
    show_default=True,
    help="Kind that the documents are cleaned and chunked as; `repository` for source code.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the stores of this collection; kept, so that a second run embeds nothing.  "
    "[default: a folder per corpus in data/08_reporting/retrieval]",
)
@click.option("--limit-queries", type=click.IntRange(min=1), help="Only the first judged queries.")
@click.option("--json", "json_file", type=_FILE, help="Write all numbers to this file.")
@with_project
def evaluate_command(
    project: Project,
    corpus: Path,
    queries: Path,
    qrels: Path,
    wanted: tuple[str, ...],
    kind: str,
    work: Path | None,
    limit_queries: int | None,
    json_file: Path | None,
) -> None:
    """Measure retrieval on a test collection in the format of TREC or BEIR.

    The collection goes the way of any other text: into a document store, through the feature
    pipeline with the project's parameters, into Qdrant, and out of it by the retriever. Its stores
    are in a folder of their own. Documents are ranked by their best chunk; the measures are those
    of trec_eval.

    \b
    Example:
      moodswarm retrieval evaluate --corpus docs.jsonl --queries queries.jsonl --qrels qrels.tsv
    """
    from moodswarm.commands.retrieval.evaluation import Files, evaluate, show, write_json

    files = Files(corpus=corpus, queries=queries, qrels=qrels)
    report: dict[str, Any] = evaluate(project, files, kind, wanted, work, limit_queries)
    show(report)
    if json_file:
        write_json(report, json_file)
