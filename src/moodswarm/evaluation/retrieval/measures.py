"""Measures of rankings as trec_eval defines them, and how sure they are.

The measures come from `ir_measures`; the intervals are percentile bootstraps over the questions:
Sakai, "Evaluating evaluation metrics based on the bootstrap", SIGIR 2006.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: What is reported, by the name that `ir_measures` has for it.
MEASURES = {
    "nDCG@10": "nDCG@10",
    "Recall@5": "R@5",
    "Recall@10": "R@10",
    "Recall@100": "R@100",
    "MRR@10": "RR@10",
}

Judgements = Mapping[str, Mapping[str, int]]

RESAMPLES = 2_000
# Index numbers in memory at once while resampling.
_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over questions with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return {"value": self.value, "low": self.low, "high": self.high}


def score_rankings(
    rankings: Mapping[str, Sequence[str]],
    judgements: Judgements,
    measures: Sequence[str] = tuple(MEASURES),
) -> dict[str, dict[str, float]]:
    """Score rankings against what is relevant.

    Args:
        rankings: Per question the ids found, best first, none twice.
        judgements: Per question the ids that were judged; over 0 is relevant, and nDCG gains what
            the number says.
        measures: Names in `MEASURES`.

    Returns:
        Per measure the value of every judged question; one without a ranking has 0.
    """
    from ir_measures import iter_calc, parse_measure

    # trec_eval breaks ties by id and reads ids up to a space: give it ranks as scores, and
    # numbers as ids.
    numbers: dict[str, str] = {}

    def number(name: str) -> str:
        return numbers.setdefault(name, str(len(numbers)))

    qrels = {
        f"q{number(question)}": {number(name): level for name, level in judged.items()}
        for question, judged in judgements.items()
    }
    run = {
        f"q{number(question)}": {
            number(name): float(len(ranking) - rank) for rank, name in enumerate(ranking)
        }
        for question, ranking in rankings.items()
        if question in judgements and ranking
    }
    scores = {name: dict.fromkeys(judgements, 0.0) for name in measures}
    questions = {f"q{number(question)}": question for question in judgements}
    named = {parse_measure(MEASURES[name]): name for name in measures}
    if run:
        for found in iter_calc(list(named), qrels, run):
            scores[named[found.measure]][questions[found.query_id]] = float(found.value)
    return scores


def mean_interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the mean of one value per question, with its interval.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("there is nothing to take a mean of; expected one value per question")
    array = np.asarray(values, dtype=np.float64)
    means = _resampled_means(array, np.random.default_rng(seed))
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(array.mean()), float(low), float(high))


def difference_interval(
    scores: Mapping[str, float], others: Mapping[str, float], seed: int = 0
) -> Interval:
    """Return the mean difference `scores - others`, paired by question, with its interval.

    Raises:
        ValueError: they are not of the same questions.
    """
    if scores.keys() != others.keys():
        raise ValueError("scores of different questions cannot be paired; ask both the same")
    return mean_interval([value - others[name] for name, value in scores.items()], seed)


def _resampled_means(
    values: npt.NDArray[np.float64], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    rows = max(1, _AT_ONCE // len(values))
    parts = []
    for start in range(0, RESAMPLES, rows):
        size = (min(rows, RESAMPLES - start), len(values))
        parts.append(values[rng.integers(0, len(values), size)].mean(axis=1))
    return np.concatenate(parts)
