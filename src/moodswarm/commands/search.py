"""`moodswarm search`: shows the chunks nearest to a query by meaning alone."""

import logging

import click

from moodswarm.commands.passages import beginning, hit_as_json, print_passage
from moodswarm.commands.printing import echo, print_json
from moodswarm.commands.project import Project, json_option, with_project
from moodswarm.commands.question_options import author_option, kind_option, known_author
from moodswarm.models.embedder import Embedder
from moodswarm.retrieval.opening import open_retriever
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.question import MAX_HITS, Filters, Question
from moodswarm.stores.vectors.protocol import Hit, VectorStore

#: Dense search and no other stage, so that scores are cosines.
NEAREST = RetrievalParams().ranking_only().switched(lexical=False)

logger = logging.getLogger(__name__)


@click.command("search")
@click.argument("query")
@author_option
@kind_option
@click.option(
    "-k", default=5, show_default=True, type=click.IntRange(1, MAX_HITS), help="How many."
)
@json_option
@with_project
def search_command(
    project: Project, query: str, author: str | None, kind: tuple[str, ...], k: int, as_json: bool
) -> None:
    """Show the K passages nearest to QUERY by dense search alone, best first.

    The exit code is 1 when nothing is embedded yet; finding nothing with the filters is not an
    error.

    \b
    Examples:
      moodswarm search "how do I sharpen a chisel"
      moodswarm search "retry with jitter" --kind repository --kind article -k 3
      moodswarm search "tea" --author "Mira Solano" --json
    """
    authors = (known_author(project, author).id,) if author is not None else ()
    question = Question(query, Filters(author_ids=authors, kinds=kind), k)
    hits = nearest(project.vectors, project.embedder, question)
    if as_json:
        print_json([hit_as_json(hit) for hit in hits])
    elif not hits:
        echo("Nothing found with these filters; leave out --author or --kind.")
    else:
        for rank, hit in enumerate(hits, start=1):
            print_passage(rank, hit, beginning(hit.payload["text"]))


def nearest(store: VectorStore, embedder: Embedder, question: Question) -> list[Hit]:
    """Return the chunks nearest to a question, over all kinds that it asks for.

    Args:
        store: The store that holds the collections.
        embedder: The model that the chunks were embedded with.
        question: The question; text beyond the model's limit is not read.

    Returns:
        The chunks, best first, ties by id, so that the order is always the same.

    Raises:
        NothingEmbedded: there are no chunks of any kind.
        ModelMismatch: a hit was embedded with another model that has the same vector size.
        StoreError: no collection could be searched; `VectorSizeMismatch` if a collection holds
            vectors of another size.
    """
    with open_retriever(store, embedder, None, NEAREST) as retriever:
        retrieval = retriever.retrieve(question)
    for warning in retrieval.trace.warnings:
        logger.warning(warning)
    return [passage.hit for passage in retrieval.passages]
