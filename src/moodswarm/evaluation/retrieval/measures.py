"""Measures of rankings as trec_eval defines them, computed by `ir_measures`."""

from collections.abc import Mapping, Sequence

#: The measures that are reported, with the names that `ir_measures` has for them.
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
    """Score rankings against what is relevant.

    Args:
        rankings: Per question the ids found, best first, none twice.
        judgements: Per question the ids that were judged; above 0 is relevant, and the number is
            the gain in nDCG.
        measures: Names in `MEASURES`.

    Returns:
        Per measure the value of every judged question; one without a ranking has 0.
    """
    from ir_measures import iter_calc, parse_measure

    # trec_eval breaks ties by id and reads ids up to a space, so it gets scores made of ranks and
    # ids made of numbers.
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
