"""The dense and the lexical search over several collections, side by side in threads."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from heapq import nsmallest
from time import perf_counter
from typing import TypeVar

from moodswarm.models.embedder import Embedder, Vectors
from moodswarm.records.sparse import SparseVector
from moodswarm.retrieval.errors import ModelMismatch, StageMissing, StageTooSlow
from moodswarm.retrieval.trace import StageState
from moodswarm.stores.errors import StoreError, VectorSizeMismatch
from moodswarm.stores.vectors import Hit, Match, VectorStore
from moodswarm.text.lexical import LexicalEncoder

FEATURE_RUN = "run `kedro run --pipeline=feature`"

_Result = TypeVar("_Result")

#: Of how many hits the model is looked at; a collection has one, or two in the middle of a run.
LOOKED_AT = 10

#: Gives the hits of a collection without their payloads, a list per query, best first.
Search = Callable[[str], list[list[Hit]]]


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found.

    Attributes:
        state: As in the trace.
        rankings: A list per query, best first over all collections, ties by id.
        answered: Whether any collection could be searched.
        reasons: Why others, or all, could not; each once.
        milliseconds: From the first collection's begin to the last one's end.
        detail: In place of the reasons, where another stage's report has them.
    """

    state: StageState
    rankings: Sequence[list[Hit]] = ()
    answered: bool = False
    reasons: tuple[Exception, ...] = ()
    milliseconds: float = 0.0
    detail: str = ""


class RunningSearch:
    """A search that has been started in every collection.

    Args:
        stage: Its name in the parameters.
        pool: Where it runs.
        search: What to do in each collection.
        collections: Their names.
        timeout_seconds: For all of them together, from now on.
    """

    def __init__(
        self,
        stage: str,
        pool: Executor,
        search: Search,
        collections: Sequence[str],
        timeout_seconds: float,
    ) -> None:
        self._stage, self._timeout = stage, timeout_seconds
        self._started = perf_counter()
        self._tasks = [pool.submit(_timed, search, name) for name in collections]

    def gather(self, queries: int, limit: int) -> Found:
        """Wait for the collections; what fails or is too slow is left out, and said.

        A collection of another model is the fault of all: the search is not used at all.

        Args:
            queries: How many were searched for.
            limit: Hits per query.
        """
        pages: list[list[list[Hit]]] = []
        reasons: dict[str, Exception] = {}
        ended = self._started
        for task in self._tasks:
            try:
                hits, end = wait(task, self._stage, self._timeout, self._started)
            except (ModelMismatch, StoreError, StageTooSlow) as error:
                reasons[str(error)] = error
            else:
                pages.append(hits)
                ended = max(ended, end)
        errors = tuple(reasons.values())
        if wrong := tuple(e for e in errors if isinstance(e, ModelMismatch | VectorSizeMismatch)):
            pages, errors = [], wrong
        return Found(
            "degraded" if errors else "ran",
            [_best(limit, [page[query] for page in pages]) for query in range(queries)],
            bool(pages),
            errors,
            ((ended if pages else perf_counter()) - self._started) * 1000,
        )


def wait(task: "Future[_Result]", stage: str, seconds: float, started: float) -> _Result:
    """Return the result of a task, or give it up.

    Args:
        task: Of a thread pool.
        stage: Its name in the parameters.
        seconds: What it may take.
        started: From when on, a value of `perf_counter`.

    Raises:
        StageTooSlow: there is none in time.
    """
    try:
        return task.result(max(0.0, started + seconds - perf_counter()))
    except FutureTimeout:
        if task.done():  # just now, or with a timeout of its own
            return task.result()
        task.cancel()
        raise StageTooSlow(stage, seconds) from None


def dense_search(
    store: VectorStore, embedder: Embedder, vectors: Vectors, limit: int, match: Match | None
) -> Search:
    """Return the search for the chunks nearest to each vector.

    Args:
        vectors: float32 [n_queries, dim].
        limit: Hits per query and collection.
        match: What every hit meets.
    """
    model, name_of_model = embedder.identity[:16], embedder.checkpoint.name

    def search(name: str) -> list[list[Hit]]:
        rankings = [store.search(name, vector, limit, match, fields=()) for vector in vectors]
        for found in _written_by(store, name, rankings, "model"):
            if found != model:
                raise ModelMismatch(
                    f"collection {name} holds vectors of another model ({found}) than "
                    f"{name_of_model} ({model}); {FEATURE_RUN} first, which embeds its documents "
                    "again, or set `embedding.model` back"
                )
        return rankings

    return search


def lexical_search(
    store: VectorStore,
    encoder: LexicalEncoder,
    queries: Sequence[SparseVector],
    limit: int,
    match: Match | None,
) -> Search:
    """Return the search for the chunks that share the weightiest words with each query."""
    model = encoder.identity[:16]

    def search(name: str) -> list[list[Hit]]:
        rankings = [store.search_lexical(name, query, limit, match, fields=()) for query in queries]
        for found in _written_by(store, name, rankings, "lexical_model"):
            if found != model:
                raise ModelMismatch(
                    f"collection {name} holds word vectors of other settings ({found}) than those "
                    f"of the question ({model}); {FEATURE_RUN} first, which makes them again, or "
                    "set the parameters `lexical` back"
                )
        return rankings

    return search


def without_lexical_vectors(store: VectorStore, names: Sequence[str]) -> list[StageMissing]:
    """Tell collections where no word is found from those that an older version built.

    Returns:
        One per collection whose first chunk has no lexical vector.

    Raises:
        StoreError: the store cannot be read.
    """
    firsts = {
        name: next(store.scroll(name, fields=["lexical_model"], page_points=1), [])
        for name in names
    }
    return [
        StageMissing(
            f"collection {name} was built without word vectors; {FEATURE_RUN}, which adds them"
        )
        for name, first in firsts.items()
        if first and "lexical_model" not in first[0]
    ]


def _timed(search: Search, name: str) -> tuple[list[list[Hit]], float]:
    return search(name), perf_counter()


def _best(limit: int, pages: Sequence[list[Hit]]) -> list[Hit]:
    if len(pages) == 1:
        return pages[0][:limit]
    hits = (hit for page in pages for hit in page)
    return nsmallest(limit, hits, key=lambda hit: (-hit.score, hit.id))


def _written_by(
    store: VectorStore, name: str, rankings: Sequence[list[Hit]], field: str
) -> Iterator[str]:
    """Yield what the best hits of each query say they were made with, where they say it."""
    best = {hit.id: None for hits in rankings for hit in hits[:LOOKED_AT]}
    for page in store.scroll(name, fields=[field], match={"id": list(best)}) if best else ():
        yield from (row[field] for row in page if field in row)


def with_payloads(store: VectorStore, hits: Sequence[Hit]) -> Iterator[Hit]:
    """Read what the hits of a search hold; those that have been deleted meanwhile are left out.

    A search over 100,000 chunks takes half as long where only the hits that are used are read.

    Args:
        store: Where they were found.
        hits: Order is kept.

    Raises:
        StoreError: the store cannot be read.
    """
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for hit in hits:
        ids[hit.collection].append(hit.id)
    payloads = {
        row.pop("id"): row
        for name, wanted in ids.items()
        for page in store.scroll(name, match={"id": wanted})
        for row in page
    }
    return (replace(hit, payload=payloads[hit.id]) for hit in hits if hit.id in payloads)
