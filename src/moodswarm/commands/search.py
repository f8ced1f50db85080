"""`moodswarm search`: the passages nearest to a question."""

import difflib
from typing import Any

import click
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from moodswarm.commands.project import Project, json_option, print_json, with_project
from moodswarm.pipelines.console import console
from moodswarm.records import KINDS, Author
from moodswarm.records.collections import collection_name
from moodswarm.retrieval.search import search
from moodswarm.stores.vectors import Hit

SNIPPET_CHARACTERS = 400


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
    """Show the K passages nearest to QUERY, best first.

    The exit code is 1 when nothing is embedded yet; finding nothing with the filters is no error.

    \b
    Examples:
      moodswarm search "how do I sharpen a chisel"
      moodswarm search "retry with jitter" --kind repository --kind article -k 3
      moodswarm search "tea" --author "Mira Solano" --json
    """
    author_id = _known_author(project, author).id if author else None
    hits = search(
        project.vectors, project.embedder, query, k=k, kinds=kind or KINDS, author_id=author_id
    )
    if not hits and not _has_chunks(project):
        raise click.ClickException(
            "nothing is embedded yet; run `kedro run --pipeline=feature` first"
        )
    if as_json:
        print_json([_as_dict(hit) for hit in hits])
    elif not hits:
        click.echo("Nothing found with these filters; leave out --author or --kind.")
    else:
        for rank, hit in enumerate(hits, start=1):
            _print_hit(rank, hit)


def _known_author(project: Project, name: str) -> Author:
    authors = project.documents.authors()
    wanted = Author.from_full_name(name)
    if wanted.id in {author.id for author in authors}:
        return wanted
    names = {author.full_name for author in authors}
    near = difflib.get_close_matches(wanted.full_name, names, n=3, cutoff=0.5) or sorted(names)[:5]
    hint = f"did you mean {' or '.join(near)}?" if near else "the document store has no authors"
    raise click.BadParameter(f"no author {name!r}; {hint}", param_hint="--author")


def _has_chunks(project: Project) -> bool:
    return any(project.vectors.count(collection_name("embedded", kind)) for kind in KINDS)


def _as_dict(hit: Hit) -> dict[str, Any]:
    return {"id": hit.id, "score": hit.score, "collection": hit.collection, **hit.payload}


def _print_hit(rank: int, hit: Hit) -> None:
    payload = hit.payload
    title = payload.get("title") or payload.get("path") or payload["kind"]
    date = (payload.get("published_at") or "")[:10]
    about = " · ".join(filter(None, (payload["author_full_name"], payload["platform"], date)))
    text = payload["text"]
    snippet = text if len(text) <= SNIPPET_CHARACTERS else text[:SNIPPET_CHARACTERS].rstrip() + "…"
    out = console()
    heading = f"[bold]{rank}. {escape(title)}[/bold]  [cyan]{hit.score:.3f}[/cyan]"
    out.print(f"{heading}  [dim]{escape(about)}[/dim]")
    out.print(f"   [blue]{escape(payload['link'])}[/blue]", soft_wrap=True)
    out.print(Padding(Text(snippet), (0, 0, 1, 3)))
