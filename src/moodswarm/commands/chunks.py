"""`moodswarm chunks`: is any chunk over the model's limit?"""

from pathlib import Path

import click
from rich.table import Table

from moodswarm.commands.printing import echo, print_json
from moodswarm.commands.project import Project, json_option, with_project
from moodswarm.pipelines.console import console
from moodswarm.pipelines.feature.reporting import plot_token_histogram
from moodswarm.records import KINDS
from moodswarm.records.collections import collection_name
from moodswarm.retrieval.errors import NothingEmbedded
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.text.chunk_report import ChunkStatistics

FIELDS = ("token_count", "start", "end", "unknown_tokens")


@click.command("chunks")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the histogram.  [default: data/08_reporting/chunks.png]",
)
@json_option
@with_project
def chunks_command(project: Project, picture: Path | None, as_json: bool) -> None:
    """Report the lengths of chunks per collection, with PASS or FAIL for the model's limit.

    Also draws a histogram. The exit code is 1 if a chunk is over the limit.
    """
    limit = project.embedder.tokenizer.max_tokens
    statistics = read_statistics(project.vectors, limit)
    if not statistics:
        raise NothingEmbedded
    path = picture or project.root / "data" / "08_reporting" / "chunks.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    plot_token_histogram(statistics).savefig(path)
    if as_json:
        reports = {name: counted.as_dict() for name, counted in statistics.items()}
        print_json({"collections": reports, "picture": str(path)})
    else:
        _print(statistics, path)
    if not all(counted.passed for counted in statistics.values()):
        raise SystemExit(1)


def read_statistics(store: VectorStore, limit: int) -> dict[str, ChunkStatistics]:
    """Count the chunks of every embedded collection that is not empty."""
    statistics = {}
    for kind in KINDS:
        counted = ChunkStatistics(limit)
        name = collection_name("embedded", kind)
        for page in store.scroll(name, fields=FIELDS):
            counted.add(
                [point["token_count"] for point in page],
                [point["end"] - point["start"] for point in page],
                [point["unknown_tokens"] for point in page],
            )
        if counted.chunks:
            statistics[name] = counted
    return statistics


def _print(statistics: dict[str, ChunkStatistics], picture: Path) -> None:
    table = Table(
        "collection", "chunks", "quantity", "min", "median", "mean", "p95", "max", "limit"
    )
    table.add_column("over")
    table.add_column("verdict")
    for name, counted in statistics.items():
        report = counted.as_dict()
        for quantity in ("tokens", "characters"):
            numbers = [str(value) for value in report[quantity].values()]
            if quantity == "tokens":
                verdict = "[green]PASS[/green]" if counted.passed else "[red]FAIL[/red]"
                row = [name, str(counted.chunks), quantity, *numbers]
                table.add_row(*row, str(counted.limit), str(counted.over_limit), verdict)
            else:
                table.add_row("", "", quantity, *numbers, "", "", "")
    console().print(table)
    echo(f"Histogram: {picture}")
