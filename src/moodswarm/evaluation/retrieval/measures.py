"""Measures for rankings as trec_eval defines them, computed by `ir_measures`."""

from collections.abc import Mapping, Sequence

#: The measures that are reported, with their names in `ir_measures`.
MEASURES = {
    "nDCG@10": "nDCG@10",
    "Recall@5": "R@5",
    "Recall@10": "R@10",
    "Recall@100": "R@100",
    "MRR@10": "RR@10",
}

Judgements = Mapping[str, Mapping[str, int]]


def score_rankings(
    rankings: Mapping[str, Sequence[str]],
    judgements: Judgements,
    measures: Sequence[str] = tuple(MEASURES),
) -> dict[str, dict[str, float]]:
    """Score rankings by the judgements of what is relevant.

    Args:
        rankings: The ids found for each question, best first, none twice.
        judgements: The relevance of the ids that were judged for each question; a number above 0
            means relevant, and is the gain in nDCG.
        measures: Names in `MEASURES`.

    Returns:
        For each measure, its value for every judged question; 0 for a question without a ranking.
    """
    from ir_measures import iter_calc, parse_measure

    # trec_eval breaks ties by id and reads ids only up to a space, so it is passed scores made from
    # ranks, and ids made from numbers.
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
