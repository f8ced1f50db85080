"""The results of the configurations, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moodswarm.evaluation.intervals import Interval, difference_interval, mean_interval
from moodswarm.evaluation.retrieval.configurations import REFERENCE
from moodswarm.evaluation.retrieval.measures import MEASURES, Judgements, score_rankings
from moodswarm.evaluation.retrieval.rankings import Rankings


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one configuration over all judged questions.

    Attributes:
        scores: Per measure, the value for each question.
        measures: Per measure, the mean with its interval.
        differences: Per measure, the paired difference from the reference configuration; empty for
            the reference itself.
        milliseconds: Per stage, p50 and p95; `total` is the whole retrieval.
        degraded: How many questions led to each warning.
        refused: Questions that could not be asked, with the reason; they count as 0.
    """

    scores: dict[str, dict[str, float]]
    measures: dict[str, Interval]
    differences: dict[str, Interval]
    milliseconds: dict[str, dict[str, float]]
    degraded: dict[str, int]
    refused: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return everything except the values for single questions, for JSON."""
        return {
            "measures": {name: found.as_dict() for name, found in self.measures.items()},
            "differences": {name: found.as_dict() for name, found in self.differences.items()},
            "milliseconds": self.milliseconds,
            "degraded": self.degraded,
            "refused": self.refused,
        }


def summarise(
    rankings: Mapping[str, Rankings],
    judgements: Judgements,
    measures: Sequence[str] = tuple(MEASURES),
    seed: int = 0,
) -> dict[str, Result]:
    """Measure every configuration, and compare it with the reference if that was measured too."""
    scores = {
        name: score_rankings(found.by_question, judgements, measures)
        for name, found in rankings.items()
    }
    reference = scores.get(REFERENCE)
    return {
        name: Result(
            scores=scores[name],
            measures={
                measure: mean_interval(list(values.values()), seed)
                for measure, values in scores[name].items()
            },
            differences={
                measure: difference_interval(values, reference[measure], seed)
                for measure, values in scores[name].items()
            }
            if reference and name != REFERENCE
            else {},
            milliseconds=found.latencies(),
            degraded=dict(found.degraded),
            refused=found.refused,
        )
        for name, found in rankings.items()
    }
