"""`moodswarm search`: the passages nearest to a question."""

import click

from moodswarm.commands.passages import hit_as_json, print_passage
from moodswarm.commands.project import Project, json_option, print_json, with_project
from moodswarm.commands.question_options import known_author
from moodswarm.records import KINDS
from moodswarm.retrieval.search import search


@click.command("search")
@click.argument("query")
@click.option("--author", metavar="NAME", help="Only what this author wrote; the full name.")
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only this kind; repeatable.")
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@json_option
@with_project
def search_command(
    project: Project, query: str, author: str | None, kind: tuple[str, ...], k: int, as_json: bool
) -> None:
    """Show the K passages nearest to QUERY by dense search alone, best first.

    The exit code is 1 when nothing is embedded yet; finding nothing with the filters is no error.

    \b
    Examples:
      moodswarm search "how do I sharpen a chisel"
      moodswarm search "retry with jitter" --kind repository --kind article -k 3
      moodswarm search "tea" --author "Mira Solano" --json
    """
    author_id = known_author(project, author).id if author is not None else None
    hits = search(
        project.vectors, project.embedder, query, k=k, kinds=kind or KINDS, author_id=author_id
    )
    if as_json:
        print_json([hit_as_json(hit) for hit in hits])
    elif not hits:
        click.echo("Nothing found with these filters; leave out --author or --kind.")
    else:
        for rank, hit in enumerate(hits, start=1):
            print_passage(rank, hit, hit.payload["text"])
