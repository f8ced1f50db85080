"""Makes one list of hits out of those of both searches, for a question and its expansions.

There are two methods. `rrf` is reciprocal rank fusion: only ranks count. `convex`, the default,
adds up scores: the scores of each ranking are put on one scale (standard deviations from the mean
of its hits); lexical scores are weighted by `lexical_weight`, dense scores by one minus that. A hit
that is missing from a ranking counts like the last hit of that ranking, which favours hits that
both searches found. Ranks do not tell by how much the first hit leads: if words help little, as in
natural-language questions about source code, plain `rrf` lets weak lexical hits push out strong
dense ones. The lexical weight is the same for all queries, as no feature of a query showed whether
words would help (numbers in LOG.md).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from moodswarm.retrieval.candidates import Candidate
from moodswarm.retrieval.trace import Trace, first_scores
from moodswarm.stores.vectors.protocol import Hit

Ranker = Literal["dense", "lexical"]

# Very few or nearly equal scores have next to no spread, so that trifles would decide. A spread
# therefore never counts as less than this share of the best score; over 100 hits, it is usually
# larger anyway.
_LEAST_SPREAD = 0.02
# The best of 100 hits leads the mean by 4 to 5 spreads. With very few hits any lead is possible,
# and a text must not win merely because it alone holds the only known word of a query.
_LONGEST_LEAD = 6.0


class FusionParams(BaseModel):
    """How several rankings are fused into one.

    Attributes:
        method: `convex` or `rrf`, as described at the top of this module.
        lexical_weight: The share of the lexical rankings, 0 to 1. For `rrf`, 0.5 is the plain form,
            in which dense and lexical ranks count alike.
        rrf_k: The higher it is, the less ranks differ: a hit at rank r adds 1 / (rrf_k + r).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["convex", "rrf"] = "convex"
    lexical_weight: float = Field(default=0.25, ge=0, le=1)
    rrf_k: int = Field(default=60, ge=0, le=10_000)


@dataclass(frozen=True, slots=True)
class Ranking:
    """One search's hits, best first.

    Attributes:
        ranker: The search that found the hits.
        hits: The hits for one query, from any number of collections; 200 hits make a steady scale,
            and with fewer than 50, fusion gains less.
        weight: How much the ranking counts; expansions of a question weigh less than the question.
    """

    ranker: Ranker
    hits: Sequence[Hit]
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise ValueError(
                f"weight of a {self.ranker} ranking is {self.weight}; expected a number above 0"
            )


def fuse_candidates(
    rankings: Sequence[Ranking], params: FusionParams, trace: Trace
) -> list[Candidate]:
    """Fuse rankings into candidates; a single ranking is left as it is, with its own scores.

    Args:
        rankings: The rankings that have hits.
        params: How to fuse.
        trace: The trace, to which the stage `fusion` is added.
    """
    scores: dict[str, dict[str, float]] = {}
    for ranking in rankings:
        for hit in ranking.hits:
            # A hit that several queries found keeps the best score from each ranker.
            own = scores.setdefault(hit.id, {})
            own[ranking.ranker] = max(hit.score, own.get(ranking.ranker, hit.score))
    if len(rankings) <= 1:
        trace.note("fusion", "skipped", "there is one ranking" if rankings else "there are no hits")
        return [Candidate(hit, scores[hit.id]) for ranking in rankings for hit in ranking.hits]
    with trace.stage("fusion") as report:
        hits = fuse(rankings, params)
        report.detail = f"{len(hits)} hits of {len(rankings)} rankings by {params.method}"
        report.scores = first_scores(hits)
    return [Candidate(hit, {**scores[hit.id], "fusion": hit.score}) for hit in hits]


def fuse(rankings: Sequence[Ranking], params: FusionParams) -> list[Hit]:
    """Fuse rankings into one list of hits.

    If one ranker has no hits, the hits from the other keep their order.

    Args:
        rankings: The rankings, in any order; the result does not depend on the order.
        params: How to fuse.

    Returns:
        Every hit of the rankings once, with its fused score; best first, ties by id. Fused scores
        can be compared only within one call.
    """
    found = [ranking for ranking in rankings if ranking.hits]
    scores: dict[str, list[float]] = {}
    hits = {hit.id: hit for ranking in found for hit in ranking.hits}
    longest = max((len(ranking.hits) for ranking in found), default=0)
    for ranking, share in zip(found, _shares(found, params.lexical_weight), strict=True):
        if params.method == "rrf":
            parts = _reciprocal_ranks(ranking, params.rrf_k)
            missing = 0.0
        else:
            parts, missing = _standard_scores(ranking, longest)
        for id_ in hits:
            scores.setdefault(id_, []).append(share * parts.get(id_, missing))
    # `fsum` rounds only once, so the sum does not depend on the order of the rankings.
    fused = [
        Hit(id_, math.fsum(scores[id_]), hit.collection, hit.payload) for id_, hit in hits.items()
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.id))


def _shares(rankings: Sequence[Ranking], lexical_weight: float) -> list[float]:
    """Return the weight of each ranking; the weights for one ranker add up to that ranker's."""
    weights = {"dense": 1 - lexical_weight, "lexical": lexical_weight}
    totals = {
        ranker: math.fsum(ranking.weight for ranking in rankings if ranking.ranker == ranker)
        for ranker in weights
    }
    if not all(totals.values()):
        weights = dict.fromkeys(weights, 1.0)
    return [
        weights[ranking.ranker] * ranking.weight / totals[ranking.ranker] for ranking in rankings
    ]


def _reciprocal_ranks(ranking: Ranking, k: int) -> Mapping[str, float]:
    return {hit.id: 1 / (k + rank) for rank, hit in enumerate(ranking.hits, 1)}


def _standard_scores(ranking: Ranking, longest: int) -> tuple[Mapping[str, float], float]:
    """Return scores in standard deviations from the mean of the hits, and a missing hit's score.

    A lexical ranking shorter than the longest ranking was not cut off: it holds every chunk with a
    word of the query. All other hits score 0 in it, and these zeros count among its scores.
    """
    scores = [hit.score for hit in ranking.hits]
    missing = min(scores)
    if ranking.ranker == "lexical" and len(scores) < longest:
        missing = 0.0
        scores += [0.0] * (longest - len(scores))
    mean, best = math.fsum(scores) / len(scores), max(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    spread = max(deviation, _LEAST_SPREAD * abs(best), (best - mean) / _LONGEST_LEAD) or 1.0
    parts = {hit.id: (hit.score - mean) / spread for hit in ranking.hits}
    return parts, (missing - mean) / spread
