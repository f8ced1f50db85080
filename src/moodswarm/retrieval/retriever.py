"""From a question to ranked passages and a context, stage by stage.

A stage that fails or takes too long is left out, with a word about it in the trace: lexical search
alone where the embedding model fails, the fused order without a reranker, a hit's own text without
its neighbours. Only when nothing could be searched at all is there an error.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from time import perf_counter

import numpy as np
import numpy.typing as npt

from moodswarm.models.embedder import Embedder
from moodswarm.models.errors import ModelError
from moodswarm.records import KINDS, Author
from moodswarm.records.collections import collection_name
from moodswarm.records.tokens import Tokenizer
from moodswarm.retrieval.context import RoughTokenizer, build_context
from moodswarm.retrieval.errors import (
    ModelMismatch,
    RetrievalError,
    RetrievalFailed,
    StageTooSlow,
)
from moodswarm.retrieval.filtering import as_match, explain_nothing, searched_kinds
from moodswarm.retrieval.fusion import Ranker, Ranking, fuse
from moodswarm.retrieval.hybrid_search import WITHOUT, HybridSearch, SearchRequest
from moodswarm.retrieval.neighbours import (
    Candidate,
    EachTextOnce,
    neighbours_in,
    own_texts,
    with_neighbours,
)
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.passage import Context, Passage, Retrieval
from moodswarm.retrieval.plan import Plan, Understanding
from moodswarm.retrieval.provenance import other_models, without_words
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.reranking import Scorer, reordered, texts_of
from moodswarm.retrieval.running_search import wait, with_payloads
from moodswarm.retrieval.trace import Trace, first_scores
from moodswarm.stores.errors import StoreError
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.text.lexical import LexicalEncoder


class Retriever:
    """Answers questions with passages; one serves any number of threads at once.

    Store and models belong to the caller and are shared by all questions; `close` leaves them open.

    Args:
        store: Where the collections are.
        embedder: The model that the chunks were embedded with.
        lexical: What the chunks' words were weighed with; None where there is none.
        params: Which stages run, and how.
        reranker: Used where `params.rerank` is on.
        understanding: Finds filters in a question and words it in other ways.
        authors: Gives the authors that a question may name.
        tokenizer: Counts the context's tokens; that of the embedding model by default.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        lexical: LexicalEncoder | None,
        params: RetrievalParams,
        *,
        reranker: Scorer | None = None,
        understanding: Understanding | None = None,
        authors: Callable[[], Sequence[Author]] = tuple,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self.params = params
        self._store, self._embedder, self._tokenizer = store, embedder, tokenizer
        self._reranker, self._understanding, self._authors = reranker, understanding, authors
        self._neighbours = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "neighbours")
        # A cross-encoder uses all cores by itself, so that questions take turns.
        self._reranking = ThreadPoolExecutor(1, "rerank")
        self._lexical = lexical
        self._search = HybridSearch(store, embedder, lexical, params)
        self._reranker_loaded = False
        self._closed = False

    def retrieve(self, question: Question) -> Retrieval:
        """Find the passages that a question asks for.

        Raises:
            NothingEmbedded: there is no chunk at all.
            RetrievalFailed: no search could be done; names the reason of each. Where there is one
                reason alone it is raised itself: `ModelMismatch`, a `StoreError` or a `ModelError`.
        """
        if self._closed:
            raise RetrievalError("the retriever is closed; make another one")
        started = perf_counter()
        trace = Trace()
        plan = self._plan(question, trace)
        names = tuple(collection_name("embedded", kind) for kind in searched_kinds(plan.filters))
        request = SearchRequest(plan.queries, names, question.k, as_match(plan.filters))
        rankings = self._search.rankings(request, trace)
        candidates, rest = self._read(_fused(rankings, self.params, trace), question.k, trace)
        while others := other_models(candidates, self._embedder, self._lexical):
            rankings = _without(rankings, others, trace)
            candidates, rest = self._read(_fused(rankings, self.params, trace), question.k, trace)
        _note_missing_words(candidates, trace)
        if not candidates:
            self._explain(plan.filters, trace)
        candidates = self._reranked(question.text, candidates, trace)
        passages = tuple(self._passages(candidates, rest, question.k, trace))
        context = self._context(passages, trace)
        trace.milliseconds = (perf_counter() - started) * 1000
        hits = tuple(candidate.hit for candidate in candidates[: question.k])
        return Retrieval(question, plan.filters, plan.queries, passages, context, trace, hits)

    def warm_up(self) -> None:
        """Load the models and open the collections, so that the first question waits for nothing.

        Raises:
            StoreError: the store cannot be reached.
            ModelError: a model cannot be loaded.
        """
        for kind in KINDS:
            self._store.count(collection_name("embedded", kind))
        self._search.warm_up()
        if self._reranker and self.params.rerank.enabled:
            self._load(self._reranker)

    def close(self) -> None:
        """End the threads; a call that hangs is not waited for. Closing twice is fine."""
        self._closed = True
        self._search.close()
        for pool in (self._neighbours, self._reranking):
            pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> "Retriever":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _plan(self, question: Question, trace: Trace) -> Plan:
        enabled = {
            "self_query": self.params.self_query.enabled,
            "expansion": self.params.expansion.enabled,
        }
        if self._understanding is None or not any(enabled.values()):
            for stage, on in enabled.items():
                detail = "nothing is configured that reads the question" if on else ""
                trace.note(stage, "skipped" if on else "off", detail)
            return Plan(question.filters, (question.text,))
        try:
            authors = self._authors()
        except StoreError as error:
            authors = ()
            trace.note("authors", "degraded", f"{error}; no name in the question is recognised")
        return self._understanding.plan(question, authors, trace)

    def _explain(self, filters: Filters, trace: Trace) -> None:
        with trace.stage("filters") as report:
            try:
                report.detail = explain_nothing(self._store, filters)
            except StoreError as error:
                report.state, report.detail = "degraded", f"nothing found, and why: {error}"

    def _read(
        self, ranked: Sequence[Candidate], k: int, trace: Trace
    ) -> tuple[list[Candidate], Sequence[Candidate]]:
        """Read what is needed of the best hits; the rest waits to take the place of some."""
        params = self.params.rerank
        count = max(k, params.candidates) if params.enabled and self._reranker else k
        with trace.stage("read") as report:
            read = list(self._with_payloads(ranked[:count]))
            report.detail = f"{len(read)} of {len(ranked)} hits"
        return read, ranked[count:]

    def _with_payloads(self, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
        scores = {candidate.hit.id: candidate.scores for candidate in candidates}
        hits = with_payloads(self._store, [candidate.hit for candidate in candidates])
        return (Candidate(hit, scores[hit.id]) for hit in hits)

    def _reranked(self, question: str, ranked: list[Candidate], trace: Trace) -> list[Candidate]:
        params = self.params.rerank
        if not params.enabled:
            trace.note("rerank", "off")
            return ranked
        if self._reranker is None or not ranked:
            detail = "there are no hits" if self._reranker else "no reranker is configured"
            trace.note("rerank", "skipped", detail)
            return ranked
        with trace.stage("rerank") as report:
            best = ranked[: params.candidates]
            try:
                scores = self._scores(self._reranker, question, texts_of(best))
            except (ModelError, StageTooSlow) as error:
                report.state, report.detail = "degraded", f"{error}; the fused order is kept"
                return ranked
            ranked = reordered(ranked, scores)
            report.detail = f"{len(best)} candidates by {self._reranker.name}"
            report.scores = first_scores([candidate.hit for candidate in ranked[: len(best)]])
        return ranked

    def _scores(
        self, reranker: Scorer, question: str, texts: Sequence[str]
    ) -> npt.NDArray[np.float32]:
        """Score in time; the time that loading the model takes is not limited."""
        self._load(reranker)
        task = self._reranking.submit(reranker.score, question, texts)
        return wait(task, "rerank", self.params.rerank.timeout_seconds, perf_counter())

    def _load(self, reranker: Scorer) -> None:
        if not self._reranker_loaded:
            reranker.score("warm up", ["warm up"])
            self._reranker_loaded = True

    def _passages(
        self, best: list[Candidate], rest: Sequence[Candidate], k: int, trace: Trace
    ) -> list[Passage]:
        params = self.params.neighbours
        pages = (rest[start : start + k] for start in range(0, len(rest), k))
        ranked = EachTextOnce(chain(best, chain.from_iterable(map(self._with_payloads, pages))))
        if not params.enabled:
            trace.note("neighbours", "off")
            return own_texts(ranked, k)
        with trace.stage("neighbours") as report:
            fetch = neighbours_in(self._store, params.before, params.after)
            task = self._neighbours.submit(
                with_neighbours, ranked, k, params.before, params.after, fetch
            )
            try:
                passages = wait(task, "neighbours", params.timeout_seconds, perf_counter())
            except (StoreError, StageTooSlow) as error:
                report.state, report.detail = "degraded", f"{error}; hits have their own text only"
                return own_texts(EachTextOnce(best), k)
            chunks = sum(len(passage.positions) for passage in passages)
            report.detail = f"{len(passages)} passages of {chunks} chunks"
            report.detail += f", copies left out: {ranked.left_out}" if ranked.left_out else ""
        return passages

    def _context(self, passages: Sequence[Passage], trace: Trace) -> Context:
        params = self.params.context
        if not params.enabled:
            trace.note("context", "off")
            return Context((), 0, dropped=len(passages))
        with trace.stage("context") as report:
            tokenizer: Tokenizer
            try:
                tokenizer = self._tokenizer or self._embedder.tokenizer
            except ModelError as error:
                tokenizer = RoughTokenizer()
                report.state, report.detail = "degraded", f"{error}; tokens are estimated; "
            context = build_context(passages, params.max_tokens, tokenizer)
            report.detail += f"{len(context.sources)} sources, {context.token_count} tokens"
            report.detail += f", {len(context.cut)} cut" if context.cut else ""
            report.detail += f", {context.dropped} left out" if context.dropped else ""
        return context


def _without(
    rankings: Sequence[Ranking], others: Mapping[Ranker, ModelMismatch], trace: Trace
) -> list[Ranking]:
    """Leave out the searches whose scores mean nothing, and say so in their reports."""
    kept = [ranking for ranking in rankings if ranking.ranker not in others]
    errors = tuple(others.values())
    if not kept:
        raise errors[0] if len(errors) == 1 else RetrievalFailed(errors)
    trace.stages = [report for report in trace.stages if report.stage not in ("fusion", "read")]
    for report in trace.stages:
        for ranker, error in others.items():
            if report.stage == ranker:
                report.state, report.detail = "degraded", f"{error}; searched {WITHOUT[ranker]}"
    return kept


def _note_missing_words(candidates: Sequence[Candidate], trace: Trace) -> None:
    for report in trace.stages:
        if (report.stage, report.state) == ("lexical", "ran") and (
            missing := without_words(candidates)
        ):
            report.state, report.detail = "degraded", f"{report.detail}; {missing}"


def _fused(rankings: Sequence[Ranking], params: RetrievalParams, trace: Trace) -> list[Candidate]:
    """Fuse rankings; one alone is left as it is, with its own scores."""
    scores: dict[str, dict[str, float]] = {}
    for ranking in rankings:
        for hit in ranking.hits:
            own = scores.setdefault(hit.id, {})
            own[ranking.ranker] = max(hit.score, own.get(ranking.ranker, hit.score))
    if len(rankings) <= 1:
        trace.note("fusion", "skipped", "there is one ranking" if rankings else "there are no hits")
        return [Candidate(hit, scores[hit.id]) for ranking in rankings for hit in ranking.hits]
    with trace.stage("fusion") as report:
        hits = fuse(rankings, params.fusion)
        report.detail = f"{len(hits)} hits of {len(rankings)} rankings by {params.fusion.method}"
        report.scores = first_scores(hits)
    return [Candidate(hit, {**scores[hit.id], "fusion": hit.score}) for hit in hits]
