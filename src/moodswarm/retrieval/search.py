"""Dense search over the embedded collections."""

import heapq
from collections.abc import Sequence

from moodswarm.models.embedder import Embedder
from moodswarm.records import KINDS
from moodswarm.records.collections import collection_name
from moodswarm.stores.vectors import Hit, Match, VectorStore

MAX_QUERY_CHARACTERS = 100_000


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
    present = {status.name for status in store.collections() if status.points}
    names = [name for kind in kinds if (name := collection_name("embedded", kind)) in present]
    if not names:
        return []
    vector = embedder.embed_query(query)
    hits = (hit for name in names for hit in store.search(name, vector, k, match))
    return heapq.nsmallest(k, hits, key=lambda hit: (-hit.score, hit.id))
