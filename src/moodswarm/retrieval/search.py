"""Dense search over the embedded collections."""

import heapq
from collections.abc import Sequence

from moodswarm.models.embedder import Embedder
from moodswarm.records import KINDS
from moodswarm.records.collections import collection_name
from moodswarm.stores.vectors import Hit, Match, VectorStore

MAX_QUERY_CHARACTERS = 100_000


class ModelMismatch(ValueError):
    """The vectors of a collection are another model's than the query's: no score means anything."""


def search(
    store: VectorStore,
    embedder: Embedder,
    query: str,
    *,
    k: int = 5,
    kinds: Sequence[str] = KINDS,
    author_id: str | None = None,
) -> list[Hit]:
    """Return the k chunks nearest to a query, over all kinds asked for.

    Args:
        store: Where the collections are.
        embedder: The model that the chunks were embedded with.
        query: A question or some words; what is over the model's limit is not read.
        k: How many hits in all, at least 1.
        kinds: Any of `KINDS`.
        author_id: Only chunks of this author.

    Returns:
        Best first, ties by id, so that the order is always the same.

    Raises:
        ValueError: the query is empty or too long, or k is under 1.
        ModelMismatch: a hit was embedded with another model of the same vector size.
        VectorSizeMismatch: a collection holds vectors of another size.
    """
    if not query.strip():
        raise ValueError("the query is empty; expected a question or some words")
    if len(query) > MAX_QUERY_CHARACTERS:
        raise ValueError(
            f"the query has {len(query)} characters; expected at most {MAX_QUERY_CHARACTERS}"
        )
    if k < 1:
        raise ValueError(f"k is {k}; expected at least 1")
    match: Match | None = {"author_id": [author_id]} if author_id else None
    vector = embedder.embed_query(query)
    names = [collection_name("embedded", kind) for kind in kinds]
    hits = [hit for name in names for hit in store.search(name, vector, k, match)]
    _require_model(hits, embedder)
    return heapq.nsmallest(k, hits, key=lambda hit: (-hit.score, hit.id))


def _require_model(hits: Sequence[Hit], embedder: Embedder) -> None:
    """Points that do not say their model are let through; the run that wrote them said no more."""
    model = embedder.identity[:16]
    for hit in hits:
        if hit.payload.get("model", model) != model:
            raise ModelMismatch(
                f"collection {hit.collection} holds vectors of another model than "
                f"{embedder.checkpoint.name}; run `kedro run --pipeline=feature` first, which "
                "embeds its documents again, or set `embedding.model` back"
            )
