"""Retrievers of several settings over one store, which share models."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Self

from moodswarm.evaluation.retrieval.rankings import Retrieves
from moodswarm.models.embedder import Embedder
from moodswarm.records import Author
from moodswarm.retrieval.parameters import RerankParams, RetrievalParams
from moodswarm.retrieval.passage import Retrieval
from moodswarm.retrieval.planning.planner import Planner, retrieve
from moodswarm.retrieval.question import Question
from moodswarm.retrieval.reranking import Scorer
from moodswarm.retrieval.retriever import Retriever
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.text.lexical import LexicalEncoder


class Retrievers:
    """Opens retrievers; closes them at the end of a `with` block, and leaves the store open.

    Args:
        store: Where the collections are.
        embedder: The model that the chunks were embedded with.
        lexical: What their words were weighed with.
        authors: Gives the authors that a question may name; None leaves self-query out.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        lexical: LexicalEncoder,
        authors: Callable[[], Sequence[Author]] | None = None,
    ) -> None:
        self._store, self._embedder, self._lexical = store, embedder, lexical
        self._authors = authors
        self._rerank: RerankParams | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened.close()

    def open(self, params: RetrievalParams) -> Retrieves:
        """Return a retriever of these settings, its models loaded."""
        reranker = None
        if params.rerank.enabled:
            self._rerank = params.rerank
            reranker = self._reranker
        # Rules only: a model would make runs differ.
        rules = Planner(params, None) if self._authors else None
        retriever = self._opened.enter_context(
            Retriever(
                self._store,
                self._embedder,
                self._lexical,
                params,
                reranker=reranker,
                understanding=rules,
                authors=self._authors or tuple,
            )
        )
        retriever.warm_up()
        return _AsUsersDo(retriever) if rules else retriever

    @cached_property
    def _reranker(self) -> Scorer:
        from moodswarm.models.reranker import Reranker

        if self._rerank is None:
            raise ValueError("no reranker is configured; set retrieval.rerank.model")
        return Reranker(
            self._rerank.model,
            batch_size=self._rerank.batch_size,
            device=self._rerank.device,
        )


@dataclass(frozen=True, slots=True)
class _AsUsersDo:
    """Searches again without the filters of self-query where those leave nothing."""

    retriever: Retriever

    def retrieve(self, question: Question) -> Retrieval:
        return retrieve(self.retriever, question)
