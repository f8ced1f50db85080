"""The dense and the lexical search of one retrieval; if one fails, the other goes on."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import perf_counter

from moodswarm.models.embedder import Embedder, Vectors
from moodswarm.models.errors import ModelError
from moodswarm.retrieval.errors import RetrievalFailed, StageMissing, StageTooSlow
from moodswarm.retrieval.fusion import Ranker, Ranking
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.running_search import (
    RunningSearch,
    SearchOutcome,
    dense_search,
    lexical_search,
    without_lexical_vectors,
)
from moodswarm.retrieval.timeouts import wait
from moodswarm.retrieval.trace import StageReport, Trace, first_scores
from moodswarm.stores.errors import StoreError
from moodswarm.stores.vectors.protocol import Match, VectorStore
from moodswarm.text.lexical import LexicalEncoder

#: How a question is searched for if this search is left out.
WITHOUT: dict[Ranker, str] = {"dense": "by words alone", "lexical": "by meaning alone"}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to search for in one retrieval.

    Attributes:
        queries: The question first, then its expansions.
        collections: The names of the collections to search.
        k: How many hits are wanted in the end; each search asks for at least that many.
        match: The condition that every hit meets.
    """

    queries: tuple[str, ...]
    collections: tuple[str, ...]
    k: int
    match: Match | None


class HybridSearch:
    """Both searches over a store; any number of threads may use them at the same time.

    Args:
        store: The store that holds the collections.
        embedder: The model that the chunks were embedded with.
        lexical: The encoder that the chunks' words were weighted with; None if there is none.
        params: Which searches run, and how.
    """

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        lexical: LexicalEncoder | None,
        params: RetrievalParams,
    ) -> None:
        self._store, self._embedder, self._lexical = store, embedder, lexical
        self._params = params
        # There are no more threads than cores, as more would only wait for each other. Each search
        # has a pool of its own, so that calls that hang in one pool do not hold up the others.
        cores = max(2, os.cpu_count() or 1)
        self._embedding = ThreadPoolExecutor(cores, "embed-query")
        self._dense = ThreadPoolExecutor(cores, "dense")
        self._lexical_pool = ThreadPoolExecutor(cores, "lexical")
        self._loaded = False

    def warm_up(self) -> None:
        """Load the embedding model.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._params.dense.enabled:
            self._embedder.embed_query("warm up")
            self._loaded = True
        if self._lexical and self._params.lexical.enabled:
            self._lexical.encode_query("warm up")

    def close(self) -> None:
        """End the threads; a call that hangs is not waited for."""
        for pool in (self._embedding, self._dense, self._lexical_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    def rankings(self, request: SearchRequest, trace: Trace) -> list[Ranking]:
        """Embed the queries, then search both ways.

        Embedding and searching do not overlap: an embedded store and the model take turns at
        Python's lock, and searching for words while the question was embedded took 5 ms longer (the
        lock's own interval) than doing one after the other.

        Returns:
            One ranking per search and query; empty ones are left out.

        Raises:
            RetrievalFailed: neither search could be done; names the reasons. A single reason is
                raised as it is.
        """
        dense = self._start_dense(request, trace)
        lexical = self._start_lexical(request)
        found: dict[Ranker, SearchOutcome] = {
            "dense": _gathered(dense, request, self._params.dense.candidates),
            "lexical": self._unless_missing(
                _gathered(lexical, request, self._params.lexical.candidates), request
            ),
        }
        reasons = {str(error): error for result in found.values() for error in result.reasons}
        if not any(result.answered for result in found.values()):
            if len(reasons) == 1:
                raise next(iter(reasons.values()))
            raise RetrievalFailed(tuple(reasons.values()))
        trace.stages += [_report(stage, result) for stage, result in found.items()]
        weights = [1.0] + [self._params.expansion.weight] * (len(request.queries) - 1)
        return [
            Ranking(stage, hits, weight)
            for stage, result in found.items()
            for hits, weight in zip(result.rankings, weights, strict=False)
            if hits
        ]

    def _start_lexical(self, request: SearchRequest) -> RunningSearch | SearchOutcome:
        params = self._params.lexical
        if not params.enabled:
            return SearchOutcome("off")
        if self._lexical is None:
            return SearchOutcome("skipped", reasons=(StageMissing("there is no lexical encoder"),))
        queries = [self._lexical.encode_query(query) for query in request.queries]
        if not any(queries):
            return SearchOutcome("skipped", reasons=(StageMissing("the question has no words"),))
        limit = max(params.candidates, request.k)
        search = lexical_search(self._store, queries, limit, request.match)
        return RunningSearch(
            "lexical", self._lexical_pool, search, request.collections, params.timeout_seconds
        )

    def _unless_missing(self, found: SearchOutcome, request: SearchRequest) -> SearchOutcome:
        """Check whether collections without a hit were built without sparse vectors for words."""
        if found.state != "ran":
            return found
        seen = {hit.collection for ranking in found.rankings for hit in ranking}
        silent = [name for name in request.collections if name not in seen]
        look = self._lexical_pool.submit(without_lexical_vectors, self._store, silent)
        seconds = self._params.lexical.timeout_seconds
        try:
            missing = wait(look, "lexical", seconds, perf_counter())
        except (StoreError, StageTooSlow) as error:
            if seen:  # There are hits, which matter more than this check.
                return found
            return replace(found, state="degraded", answered=False, reasons=(error,))
        if missing is None:
            return found
        return replace(found, state="degraded", answered=bool(seen), reasons=(missing,))

    def _start_dense(self, request: SearchRequest, trace: Trace) -> RunningSearch | SearchOutcome:
        params = self._params.dense
        if not params.enabled:
            trace.note("embed", "off")
            return SearchOutcome("off")
        with trace.stage("embed") as report:
            try:
                vectors = self._embed(request.queries)
            except (ModelError, StageTooSlow) as error:
                report.state, report.detail = "degraded", f"{error}; searched by words alone"
                return SearchOutcome(
                    "skipped", reasons=(error,), detail="the question has no vector"
                )
            report.detail = f"{len(vectors)} queries"
        limit = max(params.candidates, request.k)
        search = dense_search(self._store, vectors, limit, request.match)
        return RunningSearch(
            "dense", self._dense, search, request.collections, params.timeout_seconds
        )

    def _embed(self, queries: Sequence[str]) -> Vectors:
        """Embed all queries in one batch; loading the model first has no time limit."""
        if not self._loaded:
            self.warm_up()
        seconds = self._params.dense.timeout_seconds
        task = self._embedding.submit(self._embedder.embed, queries, truncate=True)
        return wait(task, "dense", seconds, perf_counter())


def _gathered(
    search: RunningSearch | SearchOutcome, request: SearchRequest, candidates: int
) -> SearchOutcome:
    if isinstance(search, SearchOutcome):
        return search
    return search.gather(len(request.queries), max(candidates, request.k))


def _report(stage: Ranker, found: SearchOutcome) -> StageReport:
    said = [found.detail] if found.detail else [str(reason) for reason in found.reasons]
    if found.answered:
        hits = {hit.id for ranking in found.rankings for hit in ranking}
        said = [f"{len(hits)} hits", *said]
    elif found.state == "degraded":
        said.append(f"searched {WITHOUT[stage]}")
    first = found.rankings[0] if found.rankings else []
    return StageReport(stage, found.state, "; ".join(said), found.milliseconds, first_scores(first))
