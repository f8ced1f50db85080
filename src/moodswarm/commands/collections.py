"""`moodswarm collections` and `moodswarm sample`: the contents of the vector store."""

from collections.abc import Collection
from dataclasses import asdict
from itertools import islice

import click
from rich.table import Table

from moodswarm.commands.printing import echo, print_json
from moodswarm.commands.project import Project, json_option, with_project
from moodswarm.pipelines.console import console
from moodswarm.records.collections import FEATURE_INDEX, feature_collections


@click.command("collections")
@click.option("--delete", "deleted", metavar="NAME", help="Delete a collection and its points.")
@click.option("--optimize", is_flag=True, help="Index large collections and purge deleted points.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@json_option
@with_project
def collections_command(
    project: Project, deleted: str | None, optimize: bool, yes: bool, as_json: bool
) -> None:
    """List the collections of the vector store.

    `cleaned_*` hold documents, `embedded_*` hold chunks with vectors, and `feature_index` records
    what has been done. Deleting `feature_index` deletes them all, because nothing else knows which
    documents their points belong to.

    \b
    Examples:
      moodswarm collections
      moodswarm collections --optimize                   speed up search from 50,000 points on
      moodswarm collections --delete embedded_articles   the next run makes its points again
      moodswarm collections --delete feature_index       the next run makes everything again
    """
    if deleted:
        names = _delete(project, deleted, yes)
        if as_json:
            print_json({"deleted": names})
        else:
            echo(f"Deleted {', '.join(names)}.")
        return
    if optimize:
        for status in project.vectors.collections():
            echo(f"Optimizing {status.name} ({status.points:,} points)", err=True)
            project.vectors.optimize(status.name)
    statuses = project.vectors.collections()
    if as_json:
        print_json([asdict(status) for status in statuses])
        return
    if not statuses:
        echo("There are no collections yet. Run `kedro run --pipeline=feature`.")
        return
    table = Table("collection", "points", "vector size", "indexed vectors")
    for status in statuses:
        size = "-" if status.dimensions is None else str(status.dimensions)
        table.add_row(status.name, f"{status.points:,}", size, f"{status.indexed_vectors:,}")
    console().print(table)


def _delete(project: Project, name: str, yes: bool) -> list[str]:
    known = {status.name: status.points for status in project.vectors.collections()}
    _require_known(name, known, "--delete")
    names = [name]
    if name == FEATURE_INDEX:
        # Without the index, points of documents deleted in the meantime would never be removed. The
        # index is deleted last: if this is interrupted, the next run makes the points again that
        # the index lists but the collections lack.
        names = [other for other in feature_collections() if other in known] + names
    if not yes:
        points = sum(known[each] for each in names)
        click.confirm(f"Delete {', '.join(names)} ({points:,} points)?", abort=True, err=True)
    for each in names:
        project.vectors.delete_collection(each)
    return names


def _require_known(name: str, known: Collection[str], hint: str) -> None:
    if name not in known:
        raise click.BadParameter(
            f"there is no collection {name!r}. Existing: {', '.join(sorted(known)) or 'none'}.",
            param_hint=hint,
        )


@click.command("sample")
@click.argument("collection")
@click.option("-n", default=3, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@json_option
@with_project
def sample_command(project: Project, collection: str, n: int, as_json: bool) -> None:
    """Show the first N points of COLLECTION, without vectors.

    \b
    Examples:
      moodswarm sample embedded_posts
      moodswarm sample cleaned_articles -n 1 --json
    """
    known = [status.name for status in project.vectors.collections()]
    _require_known(collection, known, "COLLECTION")
    pages = project.vectors.scroll(collection, page_points=n)
    points = list(islice((point for page in pages for point in page), n))
    if as_json:
        print_json(points)
        return
    for point in points:
        table = Table(show_header=False, title=point["id"], title_justify="left")
        for name in sorted(point.keys() - {"id", "text"}):
            table.add_row(name, str(point[name]))
        table.add_row("text", str(point.get("text", "")))
        console().print(table, markup=False)
