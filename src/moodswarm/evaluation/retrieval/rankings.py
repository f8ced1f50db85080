"""Asks a retriever many questions, and keeps what it found and how long each stage took."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter
from typing import Protocol, Self

import numpy as np

from moodswarm.models.embedder import Embedder
from moodswarm.records import Author
from moodswarm.retrieval.opening import open_reranker, open_retriever
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.passage import Retrieval
from moodswarm.retrieval.question import MAX_HITS, MAX_QUESTION_CHARACTERS, BadQuestion, Question
from moodswarm.retrieval.retriever import Retriever
from moodswarm.stores.vectors.protocol import Hit, VectorStore
from moodswarm.text.lexical import LexicalEncoder


class Retrieves(Protocol):
    """Anything that finds passages for a question; `Retriever` is one."""

    def retrieve(self, question: Question) -> Retrieval:
        """Return passages, best first, with reports on what each stage did."""
        ...


class Retrievers:
    """Opens retrievers with several settings, which share a store and models.

    The retrievers are closed at the end of a `with` block; the store is left open.

    Args:
        store: The store that holds the collections.
        embedder: The model that the chunks were embedded with.
        lexical: The encoder that the chunks' words were weighted with.
        authors: Returns the authors that a question may name; None leaves self-query out.
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
        # One model is shared by all settings that rerank the same way.
        self._reranker = cache(open_reranker)
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def open(self, params: RetrievalParams) -> Retriever:
        """Return a retriever with these settings, its models loaded."""
        # It gets no language model, as that would make two runs differ.
        retriever = open_retriever(
            self._store,
            self._embedder,
            self._lexical,
            params,
            authors=self._authors,
            reranker=self._reranker(params.rerank),
        )
        self._opened.enter_context(retriever).warm_up()
        return retriever


@dataclass(slots=True)
class Rankings:
    """The rankings from one configuration for all questions.

    Attributes:
        by_question: The ids found for each question, best first, none twice.
        milliseconds: The times per stage and for `total`, one number for each question.
        degraded: How many questions led to each warning.
        refused: Questions that could not be asked, with the reason.
    """

    by_question: dict[str, list[str]] = field(default_factory=dict)
    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    degraded: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)

    def latencies(self) -> dict[str, dict[str, float]]:
        """Return p50 and p95 in milliseconds per stage."""
        return {stage: percentiles(values) for stage, values in self.milliseconds.items()}


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    p50, p95 = np.percentile(np.asarray(milliseconds), [50, 95])
    return {"p50": float(p50), "p95": float(p95)}


def ask_all(
    retriever: Retrieves,
    questions: Iterable[tuple[str, str]],
    *,
    k: int,
    name_of: Callable[[Hit], str] = lambda hit: hit.id,
    deeper: Callable[[str, int], list[str]] | None = None,
    on_question: Callable[[], None] = lambda: None,
) -> Rankings:
    """Ask every question, one after the other; a question that is too long is cut, as `ask` does.

    Args:
        retriever: The retriever that is measured.
        questions: Pairs of (id, text).
        k: How many hits to ask for.
        name_of: Returns the name that a hit counts as, such as that of its document; a name ranks
            by its best hit.
        deeper: Called with the text and k if k hits were found that count as fewer than k names;
            the further names that it returns are added at the end.
        on_question: Called after each question.

    Returns:
        The rankings; their times do not include going deeper.
    """
    rankings = Rankings()
    for identifier, whole in questions:
        text = whole[:MAX_QUESTION_CHARACTERS]
        if len(text) < len(whole):
            rankings.degraded[f"the question is cut to {MAX_QUESTION_CHARACTERS:,} characters"] += 1
        try:
            question = Question(text, k=k)
        except BadQuestion as error:
            rankings.refused[identifier] = str(error)
            on_question()
            continue
        started = perf_counter()
        found = retriever.retrieve(question)
        rankings.milliseconds["total"].append((perf_counter() - started) * 1000)
        _note(rankings, found)
        names = unique(map(name_of, found.hits))
        if deeper and len(names) < k <= len(found.hits):
            names = unique([*names, *deeper(text, k)])
        rankings.by_question[identifier] = names[:k]
        on_question()
    return rankings


def going_deeper(
    open_retriever: Callable[[int], Retrieves], name_of: Callable[[Hit], str]
) -> Callable[[str, int], list[str]]:
    """Return a function that asks for more and more hits until they count as enough names.

    Args:
        open_retriever: Returns a retriever that takes this many candidates; called once for each
            number.
        name_of: Returns the name that a hit counts as, such as that of its document.
    """
    opened: dict[int, Retrieves] = {}

    def deeper(text: str, wanted: int) -> list[str]:
        names: list[str] = []
        hits = wanted
        while len(names) < wanted and hits < MAX_HITS:
            hits = min(3 * hits, MAX_HITS)
            retriever = opened.get(hits) or opened.setdefault(hits, open_retriever(hits))
            found = retriever.retrieve(Question(text, k=hits))
            names = unique(map(name_of, found.hits))
            if len(found.hits) < hits:
                break
        return names

    return deeper


def unique(names: Iterable[str]) -> list[str]:
    """Return the names in their order, without repetitions."""
    return list(dict.fromkeys(names))


def _note(rankings: Rankings, found: Retrieval) -> None:
    spent: Mapping[str, float] = _per_stage(found)
    for stage, milliseconds in spent.items():
        rankings.milliseconds[stage].append(milliseconds)
    rankings.degraded.update(found.trace.warnings)


def _per_stage(found: Retrieval) -> dict[str, float]:
    """Add up the times of each stage; stages that did not run are left out."""
    spent: dict[str, float] = defaultdict(float)
    for report in found.trace.stages:
        if report.state in ("ran", "degraded"):
            spent[report.stage] += report.milliseconds
    return spent
