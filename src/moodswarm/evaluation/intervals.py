"""How certain a mean is: percentile bootstraps over whatever was measured, such as questions.

Sakai, "Evaluating evaluation metrics based on the bootstrap", SIGIR 2006.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 2_000
# How many indices are in memory at a time while resampling.
_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the value, the low end and the high end by name."""
        return {"value": self.value, "low": self.low, "high": self.high}


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
        ValueError: the two are not for the same questions.
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
