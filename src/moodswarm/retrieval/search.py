"""One search without anything around it: what `moodswarm search` shows."""

import logging
from collections.abc import Sequence

from moodswarm.models.embedder import Embedder
from moodswarm.records import KINDS
from moodswarm.retrieval.parameters import (
    ContextParams,
    ExpansionParams,
    NeighbourParams,
    RetrievalParams,
    SearchParams,
    SelfQueryParams,
)
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.retriever import Retriever
from moodswarm.stores.vectors.protocol import Hit, VectorStore
from moodswarm.text.lexical import LexicalEncoder

logger = logging.getLogger(__name__)


def search(
    store: VectorStore,
    embedder: Embedder,
    query: str,
    *,
    k: int = 5,
    kinds: Sequence[str] = KINDS,
    author_id: str | None = None,
    lexical: LexicalEncoder | None = None,
) -> list[Hit]:
    """Return the k best chunks, over all kinds asked for.

    Args:
        store: Where the collections are.
        embedder: The model that the chunks were embedded with.
        query: A question or some words; what is over the model's limit is not read.
        k: How many hits in all, at least 1.
        kinds: Any of `KINDS`.
        author_id: Only chunks of this author.
        lexical: Searches the words too, and fuses both; without it scores are cosines.

    Returns:
        Best first, ties by id, so that the order is always the same.

    Raises:
        BadQuestion: the query is empty or too long, k is out of range, or a kind unknown.
        NothingEmbedded: there is no chunk of any kind.
        ModelMismatch: a hit was embedded with another model of the same vector size.
        StoreError: no collection could be searched; `VectorSizeMismatch` where one holds vectors of
            another size.
    """
    authors = (author_id,) if author_id else ()
    question = Question(query, Filters(author_ids=authors, kinds=tuple(kinds)), k)
    params = RetrievalParams(
        self_query=SelfQueryParams(enabled=False),
        expansion=ExpansionParams(enabled=False),
        lexical=SearchParams(enabled=lexical is not None),
        neighbours=NeighbourParams(enabled=False),
        context=ContextParams(enabled=False),
    )
    with Retriever(store, embedder, lexical, params) as retriever:
        retrieval = retriever.retrieve(question)
    for warning in retrieval.trace.warnings:
        logger.warning(warning)
    return [passage.hit for passage in retrieval.passages]
