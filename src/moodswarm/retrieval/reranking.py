"""Reranking: puts the best candidates in the order of a cross-encoder's scores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import perf_counter
from typing import Protocol

import numpy as np
import numpy.typing as npt

from moodswarm.models.errors import ModelError
from moodswarm.retrieval.candidates import Candidate
from moodswarm.retrieval.errors import StageTooSlow
from moodswarm.retrieval.parameters import RerankParams
from moodswarm.retrieval.timeouts import wait
from moodswarm.retrieval.trace import Trace, first_scores


class Scorer(Protocol):
    """Scores texts against a query; `moodswarm.models.reranker.Reranker` is one."""

    @property
    def name(self) -> str:
        """The name of the model, as a user knows it."""
        ...

    def score(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the scores of the texts, float32 [n_texts]; higher is better."""
        ...


class Reranking:
    """The stage that scores the best candidates again; any number of threads may use it together.

    Args:
        scorer: The cross-encoder; None if none is configured.
        params: Whether the stage runs, and how.
    """

    def __init__(self, scorer: Scorer | None, params: RerankParams) -> None:
        self._scorer = scorer if params.enabled else None
        self._params = params
        # A cross-encoder uses all cores by itself, so questions take turns.
        self._thread = ThreadPoolExecutor(1, "rerank")
        self._loaded = False

    @property
    def candidates(self) -> int:
        """How many candidates are scored again."""
        return self._params.candidates if self._scorer else 0

    def warm_up(self) -> None:
        """Load the cross-encoder.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._scorer and not self._loaded:
            self._scorer.score("warm up", ["warm up"])
            self._loaded = True

    def close(self) -> None:
        """End the thread; a call that hangs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def reorder(
        self, question: str, ranked: Sequence[Candidate], trace: Trace
    ) -> Sequence[Candidate]:
        """Return the candidates, with the best of them in the order of their new scores.

        Args:
            question: The text that was searched for.
            ranked: Candidates with payloads, best first.
            trace: The trace, to which the stage `rerank` is added.
        """
        if not self._params.enabled:
            trace.note("rerank", "off")
            return ranked
        if self._scorer is None or not ranked:
            detail = "there are no hits" if self._scorer else "no reranker is configured"
            trace.note("rerank", "skipped", detail)
            return ranked
        with trace.stage("rerank") as report:
            best = ranked[: self._params.candidates]
            try:
                scores = self._scores(self._scorer, question, best)
            except (ModelError, StageTooSlow) as error:
                report.state, report.detail = "degraded", f"{error}; the fused order is kept"
                return ranked
            ranked = _by_score(ranked, scores)
            report.detail = f"{len(best)} candidates by {self._scorer.name}"
            report.scores = first_scores([candidate.hit for candidate in ranked[: len(best)]])
        return ranked

    def _scores(
        self, scorer: Scorer, question: str, candidates: Sequence[Candidate]
    ) -> npt.NDArray[np.float32]:
        """Score within the time limit; loading has none, as the model may be downloaded first."""
        self.warm_up()
        texts = [str(candidate.hit.payload.get("text", "")) for candidate in candidates]
        task = self._thread.submit(scorer.score, question, texts)
        return wait(task, "rerank", self._params.timeout_seconds, perf_counter())


def _by_score(candidates: Sequence[Candidate], scores: npt.NDArray[np.float32]) -> list[Candidate]:
    """Order the first candidates by their new scores, ties by id; the rest follow as they were.

    Args:
        candidates: The candidates, best first; at least as many as there are scores.
        scores: The scores of the first n candidates, float32 [n].
    """
    scored = [
        Candidate(
            replace(candidate.hit, score=float(score)),
            {**candidate.scores, "rerank": float(score)},
        )
        for candidate, score in zip(candidates, scores, strict=False)
    ]
    scored.sort(key=lambda candidate: (-candidate.hit.score, candidate.hit.id))
    return [*scored, *candidates[len(scored) :]]
