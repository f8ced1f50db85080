"""The ways of searching that are measured side by side."""

from collections.abc import Sequence

from moodswarm.retrieval.parameters import RetrievalParams, SearchParams

#: What the others are compared with.
REFERENCE = "dense"
CONFIGURATIONS = ("dense", "lexical", "hybrid", "hybrid_rerank")


def configurations(
    params: RetrievalParams, wanted: Sequence[str] = ()
) -> dict[str, RetrievalParams]:
    """Return the settings of each configuration.

    Args:
        params: As configured; what a configuration does not say stays as it is there.
        wanted: Names in `CONFIGURATIONS`; empty takes all, `hybrid_rerank` only where reranking
            is switched on.

    Raises:
        ValueError: names an unknown configuration and the known ones.
    """
    if unknown := sorted(set(wanted) - set(CONFIGURATIONS)):
        raise ValueError(f"unknown configurations {unknown}; known are {', '.join(CONFIGURATIONS)}")
    names = wanted or [
        name for name in CONFIGURATIONS if name != "hybrid_rerank" or params.rerank.enabled
    ]
    return {name: _configured(params, name) for name in CONFIGURATIONS if name in names}


def with_candidates(params: RetrievalParams, candidates: int) -> RetrievalParams:
    """Return the settings with at least so many candidates per search."""
    return params.model_copy(
        update={
            "dense": _enlarged(params.dense, candidates),
            "lexical": _enlarged(params.lexical, candidates),
        }
    )


def ranking_only(params: RetrievalParams) -> RetrievalParams:
    """Switch off what does not change a ranking, or has no meaning without authors and dates."""
    return params.without_context().model_copy(
        update={
            "neighbours": params.neighbours.model_copy(update={"enabled": False}),
            "self_query": params.self_query.model_copy(update={"enabled": False}),
            "expansion": params.expansion.model_copy(update={"enabled": False}),
        }
    )


def _configured(params: RetrievalParams, name: str) -> RetrievalParams:
    return params.model_copy(
        update={
            "dense": params.dense.model_copy(update={"enabled": name != "lexical"}),
            "lexical": params.lexical.model_copy(update={"enabled": name != "dense"}),
            "rerank": params.rerank.model_copy(update={"enabled": name == "hybrid_rerank"}),
        }
    )


def _enlarged(search: SearchParams, candidates: int) -> SearchParams:
    return search.model_copy(update={"candidates": max(search.candidates, candidates)})
