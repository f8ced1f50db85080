"""`moodswarm crawl`: commands about crawling, apart from the run of the pipeline itself."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from moodswarm.commands.printing import print_json
from moodswarm.commands.project import json_option
from moodswarm.pipelines.console import console

if TYPE_CHECKING:
    from moodswarm.evaluation.extraction.pairs import Evaluation

#: How many reasons for words that were left out are shown for each page.
_REASONS = 3


@click.group("crawl")
def crawl_group() -> None:
    """Look at how pages become documents. To crawl, use kedro run --pipeline=crawl."""


@crawl_group.command("evaluate")
@click.argument("pairs_dir", type=click.Path(path_type=Path))
@click.option(
    "--failures",
    "-n",
    default=10,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many of the worst pages to show; pages without an article always are.",
)
@json_option
def evaluate_command(pairs_dir: Path, failures: int, as_json: bool) -> None:
    """Measure extraction on pages whose text is known.

    PAIRS_DIR holds pages (*.html) in any folders, with the expected markdown (*.md) beside each.
    The command measures the words, the code blocks that are exactly right, the headings at any
    level, the list items, and the titles.
    """
    try:
        from moodswarm.evaluation.extraction.pairs import UnusablePairs, evaluate, find_pairs
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f'extraction needs {error.name}; install it with: pip install "moodswarm[crawl]"'
        ) from error
    try:
        pairs = find_pairs(pairs_dir)
        with click.progressbar(pairs, label="Extracting", file=sys.stderr) as bar:
            found = evaluate(bar, pairs_dir)
    except UnusablePairs as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        worst = [asdict(score) for score in found.worst(failures)]
        print_json(asdict(found) | {"left_out": found.left_out(), "scores": worst})
    else:
        _show(found, failures)


def _show(found: "Evaluation", failures: int) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("measure", "value", "of")
    table.add_row("words, F1", f"{found.f1:.3f}", f"{found.pages:,} pages")
    table.add_row("code blocks exact", _share(found.code), f"{found.code_blocks:,}")
    table.add_row("headings found", _share(found.headings), _of(found, "headings"))
    table.add_row("list items found", _share(found.items), _of(found, "items"))
    table.add_row("titles found", _share(found.title), f"{_titled(found):,}")
    table.add_row("pages refused", f"{found.refused:,}", f"{found.pages:,}")
    table.add_row("pages a CPU second", f"{found.documents_per_cpu_second:.0f}", "")
    console().print(table)
    left_out = found.left_out()
    if left_out:
        table = Table("words left out, by reason", "words")
        for reason, words in left_out.most_common():
            table.add_row(escape(reason), f"{words:,}")
        console().print(table)
    worst = [score for score in found.worst(failures) if score.quality < 1]
    if not worst:
        return
    table = Table("worst pages", "F1", "code", "headings", "items", "title", "left out", "refused")
    for score in worst:
        counts = [f"{got}/{all_}" for got, all_ in (score.code, score.headings, score.items)]
        title = {True: "yes", False: "no", None: "-"}[score.title]
        most = list(score.left_out.items())[:_REASONS]
        reasons = ", ".join(f"{reason} {words:,}" for reason, words in most)
        refused = escape(score.refused or "")
        table.add_row(
            escape(score.name), f"{score.f1:.3f}", *counts, title, escape(reasons), refused
        )
    console().print(table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _of(found: "Evaluation", measure: str) -> str:
    return f"{sum(getattr(score, measure)[1] for score in found.scores):,}"


def _titled(found: "Evaluation") -> int:
    return sum(score.title is not None for score in found.scores)
