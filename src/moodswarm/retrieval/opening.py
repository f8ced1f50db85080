"""Builds a retriever, for the commands, the evaluation, notebooks and services alike.

    with open_retriever(store, embedder, lexical, params, authors=documents.authors) as retriever:
        found = retriever.retrieve(Question("how do I sharpen a chisel"))

Nothing here reads a configuration: the caller says which store and models to use.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from moodswarm.models.embedder import Embedder
from moodswarm.records import Author
from moodswarm.retrieval.parameters import RerankParams, RetrievalParams
from moodswarm.retrieval.reranking import Scorer
from moodswarm.retrieval.retriever import Retriever
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.text.lexical import LexicalEncoder

if TYPE_CHECKING:
    from moodswarm.llm.blocking import BlockingChat
    from moodswarm.models.reranker import Reranker


def open_retriever(
    store: VectorStore,
    embedder: Embedder,
    lexical: LexicalEncoder | None,
    params: RetrievalParams,
    *,
    authors: Callable[[], Sequence[Author]] | None = None,
    chat: "BlockingChat | None" = None,
    reranker: Scorer | None = None,
) -> Retriever:
    """Return a retriever; the caller closes it, and then the store and the models.

    Args:
        store: The store that holds the collections.
        embedder: The model that the chunks were embedded with.
        lexical: The encoder that the chunks' words were weighted with; None to search by meaning
            alone.
        params: Which stages run, and how.
        authors: Returns the authors that a question may name. Without authors and a model, nothing
            is read out of a question.
        chat: The model that words questions in other ways; None to do without it.
        reranker: The cross-encoder, used if `params.rerank` is on; see `open_reranker`.
    """
    understanding = None
    if authors is not None or chat is not None:
        # Imported here, so that a plain search does not load the modules of language models.
        from moodswarm.retrieval.planning.planner import Planner

        understanding = Planner(params, chat)
    return Retriever(
        store,
        embedder,
        lexical,
        params,
        reranker=reranker,
        understanding=understanding,
        authors=authors or tuple,
    )


def open_reranker(params: RerankParams) -> "Reranker | None":
    """Return the configured cross-encoder, which loads when first used; None if it is off."""
    if not params.enabled:
        return None
    from moodswarm.models.reranker import Reranker

    return Reranker(params.model, batch_size=params.batch_size, device=params.device)
