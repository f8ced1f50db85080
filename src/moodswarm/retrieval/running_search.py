"""The dense and the lexical search over several collections, side by side in threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from heapq import nsmallest
from time import perf_counter

from moodswarm.models.embedder import Vectors
from moodswarm.records.sparse import SparseVector
from moodswarm.retrieval.errors import FEATURE_RUN, StageMissing, StageTooSlow
from moodswarm.retrieval.timeouts import wait
from moodswarm.retrieval.trace import StageState
from moodswarm.stores.errors import StoreError, VectorSizeMismatch
from moodswarm.stores.vectors.protocol import Hit, Match, VectorStore

#: Returns the hits in a collection without their payloads: a list per query, best first.
Search = Callable[[str], list[list[Hit]]]


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The hits of one search, or why there are none.

    Attributes:
        state: The state that the trace shows.
        rankings: A list of hits per query, best first over all collections, ties by id.
        answered: Whether any collection could be searched.
        reasons: Why some or all of the collections could not be searched; each reason once.
        milliseconds: From the start of the first collection's search to the end of the last one's.
        detail: Shown instead of the reasons if the report on another stage already has them.
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
        stage: The name of the search in the parameters.
        pool: The threads that it runs in.
        search: A function that searches one collection.
        collections: The names of the collections.
        timeout_seconds: How long all collections together may take, from now on.
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

    def gather(self, queries: int, limit: int) -> SearchOutcome:
        """Wait for the collections; the outcome names those that failed or were too slow.

        If a collection holds vectors of a different size, none is used: the question was then
        embedded with a different model from the chunks.

        Args:
            queries: How many queries were searched for.
            limit: The most hits to return per query.
        """
        pages: list[list[list[Hit]]] = []
        reasons: dict[str, Exception] = {}
        ended = self._started
        for task in self._tasks:
            try:
                hits, end = wait(task, self._stage, self._timeout, self._started)
            except (StoreError, StageTooSlow) as error:
                reasons[str(error)] = error
            else:
                pages.append(hits)
                ended = max(ended, end)
        errors = tuple(reasons.values())
        if wrong := tuple(e for e in errors if isinstance(e, VectorSizeMismatch)):
            pages, errors = [], wrong
        return SearchOutcome(
            "degraded" if errors else "ran",
            [_best(limit, [page[query] for page in pages]) for query in range(queries)],
            bool(pages),
            errors,
            ((ended if pages else perf_counter()) - self._started) * 1000,
        )


def dense_search(store: VectorStore, vectors: Vectors, limit: int, match: Match | None) -> Search:
    """Return the search for the chunks nearest to each vector.

    Args:
        store: The store that holds the collections.
        vectors: The vectors of the queries, float32 [n_queries, dim].
        limit: The most hits per query and collection.
        match: The condition that every hit meets.
    """
    return lambda name: [store.search(name, vector, limit, match, fields=()) for vector in vectors]


def lexical_search(
    store: VectorStore, queries: Sequence[SparseVector], limit: int, match: Match | None
) -> Search:
    """Return the search for the chunks whose words in common with each query weigh most."""
    return lambda name: [
        store.search_lexical(name, query, limit, match, fields=()) for query in queries
    ]


def without_lexical_vectors(store: VectorStore, names: Sequence[str]) -> StageMissing | None:
    """Find the collections that an older version built, without sparse vectors for words.

    Returns:
        An error that names the collections whose first chunk has no word vector; None if there are
        no such collections.

    Raises:
        StoreError: the store cannot be read.
    """
    firsts = {
        name: next(store.scroll(name, fields=["lexical_model"], page_points=1), [])
        for name in names
    }
    old = [name for name, first in firsts.items() if first and "lexical_model" not in first[0]]
    if not old:
        return None
    which = f"collection {old[0]} was" if len(old) == 1 else f"collections {', '.join(old)} were"
    return StageMissing(f"{which} built without word vectors; {FEATURE_RUN}, which adds them")


def _timed(search: Search, name: str) -> tuple[list[list[Hit]], float]:
    return search(name), perf_counter()


def _best(limit: int, pages: Sequence[list[Hit]]) -> list[Hit]:
    if len(pages) == 1:
        return pages[0][:limit]
    hits = (hit for page in pages for hit in page)
    return nsmallest(limit, hits, key=lambda hit: (-hit.score, hit.id))
