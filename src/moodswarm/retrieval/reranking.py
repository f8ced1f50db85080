"""Candidates in the order that a cross-encoder gives them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from moodswarm.retrieval.neighbours import Candidate


class Scorer(Protocol):
    """Scores texts against a query; `moodswarm.models.reranker.Reranker` is one."""

    @property
    def name(self) -> str:
        """The model, as a user knows it."""
        ...

    def score(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32 [n_texts], higher is better."""
        ...


def texts_of(candidates: Sequence[Candidate]) -> list[str]:
    """Return what a reranker reads of each candidate."""
    return [str(candidate.hit.payload.get("text", "")) for candidate in candidates]


def reordered(candidates: Sequence[Candidate], scores: npt.NDArray[np.float32]) -> list[Candidate]:
    """Order the first candidates by new scores; the others follow as they were.

    Args:
        candidates: Best first, at least as many as scores.
        scores: float32 [n], of the first n candidates.

    Returns:
        All of them; ties by id.
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
