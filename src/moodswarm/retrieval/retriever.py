"""Turns a question into ranked passages and a context, stage by stage.

A stage that fails or takes too long is left out, and the trace says so: if the embedding model
fails, words alone are searched; without a reranker, the fused order is kept; without neighbours, a
hit has only its own text. There is an error only if nothing could be searched at all.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from time import perf_counter

from moodswarm.models.embedder import Embedder
from moodswarm.records import KINDS, Author
from moodswarm.records.collections import collection_name
from moodswarm.retrieval.candidates import Candidate, EachTextOnce, with_payloads
from moodswarm.retrieval.context import context_stage
from moodswarm.retrieval.errors import RetrievalError, StageTooSlow
from moodswarm.retrieval.filtering import as_match, explain_nothing, searched_kinds
from moodswarm.retrieval.fusion import Ranking, fuse_candidates
from moodswarm.retrieval.hybrid_search import WITHOUT, HybridSearch, SearchRequest
from moodswarm.retrieval.neighbours import neighbours_in, own_texts, with_neighbours
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.passage import Passage, Retrieval
from moodswarm.retrieval.plan import Plan, Understanding, as_asked
from moodswarm.retrieval.provenance import leave_out, note_missing_words, other_models
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.reranking import Reranking, Scorer
from moodswarm.retrieval.timeouts import wait
from moodswarm.retrieval.trace import Trace
from moodswarm.stores.errors import StoreError
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.text.lexical import LexicalEncoder

# A text that was published hundreds of times can fill all places of a search. Each further search
# then goes `_DEEPER` times as deep, until one has gone as deep as `_DEEPEST`.
_DEEPER, _DEEPEST = 4, 10_000


class Retriever:
    """Answers questions with passages; one retriever serves any number of threads at the same time.

    `open_retriever` builds one. Store and models belong to the caller and are shared by all
    questions; `close` leaves them open.

    Args:
        store: The store that holds the collections.
        embedder: The model that the chunks were embedded with.
        lexical: The encoder that the chunks' words were weighted with; None if there is none.
        params: Which stages run, and how.
        reranker: The cross-encoder; used if `params.rerank` is on.
        understanding: Finds filters in a question and words it in other ways.
        authors: Returns the authors that a question may name.
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
    ) -> None:
        self._store, self._embedder, self._lexical = store, embedder, lexical
        self._params = params
        self._understanding, self._authors = understanding, authors
        self._searches = HybridSearch(store, embedder, lexical, params)
        self._reranking = Reranking(reranker, params.rerank)
        self._neighbours = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "neighbours")
        self._closed = False

    def retrieve(self, question: Question) -> Retrieval:
        """Find the passages that a question asks for.

        If the filters that were read out of the question leave nothing, the search is done again
        with the caller's own filters; the trace is then that of the second search.

        Raises:
            NothingEmbedded: there is no chunk at all.
            StoreLocked: another process keeps the store locked; names that process.
            RetrievalFailed: no search could be done; names the reason for each. A single reason
                is raised as it is: `ModelMismatch`, a `StoreError` or a `ModelError`.
        """
        if self._closed:
            raise RetrievalError("the retriever is closed; make another one")
        # The store is opened before any stage is timed, and in this thread, so that a wait for
        # another process counts against no stage and can be ended by Ctrl-C.
        self._store.open()
        trace = Trace()
        plan = self._plan(question, trace)
        found = self._search(question, plan, trace)
        if found.passages or plan.filters == question.filters:
            return found
        # The rules can misread a question, and finding nothing is worse than ignoring them.
        return self._search(question, *as_asked(question, plan, trace))

    def warm_up(self) -> None:
        """Load the models and open the collections, so that the first question waits for nothing.

        Raises:
            StoreError: the store cannot be reached.
            ModelError: a model cannot be loaded.
        """
        for kind in KINDS:
            self._store.count(collection_name("embedded", kind))
        self._searches.warm_up()
        self._reranking.warm_up()

    def close(self) -> None:
        """End the threads; a call that hangs is not waited for. Closing twice is fine."""
        self._closed = True
        self._searches.close()
        self._reranking.close()
        self._neighbours.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> "Retriever":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _plan(self, question: Question, trace: Trace) -> Plan:
        enabled = {
            "self_query": self._params.self_query.enabled,
            "expansion": self._params.expansion.enabled,
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

    def _search(self, question: Question, plan: Plan, trace: Trace) -> Retrieval:
        """Search, and search deeper while left-out copies and merged hits leave places free."""
        understood, depth = [*trace.stages], question.k
        first, full = self._search_to(depth, question, plan, trace)
        found = first
        while full and len(found.passages) < question.k and depth < _DEEPEST:
            searches = (self._params.dense, self._params.lexical)
            depth = min(_DEEPEST, _DEEPER * max(depth, *(each.candidates for each in searches)))
            trace.stages = [*understood]
            found, full = self._search_to(depth, question, plan, trace)
        # More candidates change the scale of fusion, so the hits are those of the first search.
        return replace(found, hits=first.hits)

    def _search_to(
        self, depth: int, question: Question, plan: Plan, trace: Trace
    ) -> tuple[Retrieval, bool]:
        """Search once; also return whether there may be more hits than were asked for."""
        names = tuple(collection_name("embedded", kind) for kind in searched_kinds(plan.filters))
        request = SearchRequest(plan.queries, names, depth, as_match(plan.filters))
        rankings = self._searches.rankings(request, trace)
        limits = {ranker: getattr(self._params, ranker).candidates for ranker in WITHOUT}
        full = any(len(each.hits) >= max(depth, limits[each.ranker]) for each in rankings)
        best, rest = self._candidates(rankings, question.k, trace)
        # Only payloads tell which model a chunk was embedded with. A search whose scores mean
        # nothing is therefore noticed after fusion, which is then done again without that search.
        while others := other_models(best, self._embedder, self._lexical):
            rankings = leave_out(rankings, others, trace)
            best, rest = self._candidates(rankings, question.k, trace)
        note_missing_words(best, trace)
        if not best:
            self._explain(plan.filters, trace)
        best = self._reranking.reorder(plan.queries[0], best, trace)
        passages = tuple(self._passages(best, rest, question.k, trace))
        context = context_stage(passages, self._params.context, self._embedder, trace)
        trace.end()
        hits = tuple(candidate.hit for candidate in best[: question.k])
        found = Retrieval(question, plan.filters, plan.queries, passages, context, trace, hits)
        return found, full

    def _candidates(
        self, rankings: Sequence[Ranking], k: int, trace: Trace
    ) -> tuple[Sequence[Candidate], Sequence[Candidate]]:
        """Fuse rankings and read the best hits; return the rest unread, in case some are needed."""
        ranked = fuse_candidates(rankings, self._params.fusion, trace)
        count = max(k, self._reranking.candidates)
        with trace.stage("read") as report:
            best = list(with_payloads(self._store, ranked[:count]))
            report.detail = f"{len(best)} of {len(ranked)} hits"
        return best, ranked[count:]

    def _explain(self, filters: Filters, trace: Trace) -> None:
        with trace.stage("filters") as report:
            try:
                report.detail = explain_nothing(self._store, filters)
            except StoreError as error:
                report.state, report.detail = "degraded", f"nothing found, and why: {error}"

    def _passages(
        self, best: Sequence[Candidate], rest: Sequence[Candidate], k: int, trace: Trace
    ) -> list[Passage]:
        params = self._params.neighbours
        # The rest is read page by page, and only if copies or neighbours leave room for more.
        more = chain.from_iterable(with_payloads(self._store, page) for page in _pages(rest, k))
        ranked = EachTextOnce(chain(best, more))
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


def _pages(candidates: Sequence[Candidate], first: int) -> Iterator[Sequence[Candidate]]:
    """Yield candidates in pages, each twice as long as the one before it."""
    start, size = 0, first
    while start < len(candidates):
        yield candidates[start : start + size]
        start, size = start + size, 2 * size
