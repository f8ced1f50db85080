"""The ways of searching that are measured side by side: dense, lexical, both, reranked."""

from collections.abc import Sequence

from moodswarm.retrieval.parameters import RetrievalParams, SearchParams

#: The configuration that the others are compared with.
REFERENCE = "dense"
CONFIGURATIONS = ("dense", "lexical", "hybrid", "hybrid_rerank")


def configurations(
    params: RetrievalParams, wanted: Sequence[str] = ()
) -> dict[str, RetrievalParams]:
    """Return the settings of each configuration.

    Args:
        params: The parameters as configured; a configuration only switches stages on or off.
        wanted: Names in `CONFIGURATIONS`. If empty, all are taken, `hybrid_rerank` only if
            reranking is switched on.

    Raises:
        ValueError: a configuration is unknown; names it and the known ones.
    """
    require_known(wanted)
    names = wanted or [
        name for name in CONFIGURATIONS if name != "hybrid_rerank" or params.rerank.enabled
    ]
    return {name: _configured(params, name) for name in CONFIGURATIONS if name in names}


def require_known(names: Sequence[str]) -> None:
    """Refuse names that no configuration has.

    Raises:
        ValueError: a name is unknown; lists the unknown and the known names.
    """
    if unknown := sorted(set(names) - set(CONFIGURATIONS)):
        raise ValueError(f"unknown configurations {unknown}; known: {', '.join(CONFIGURATIONS)}")


def with_candidates(params: RetrievalParams, candidates: int) -> RetrievalParams:
    """Return the settings with at least `candidates` candidates per search."""
    return params.model_copy(
        update={
            "dense": _enlarged(params.dense, candidates),
            "lexical": _enlarged(params.lexical, candidates),
        }
    )


def _configured(params: RetrievalParams, name: str) -> RetrievalParams:
    return params.switched(
        dense=name != "lexical", lexical=name != "dense", rerank=name == "hybrid_rerank"
    )


def _enlarged(search: SearchParams, candidates: int) -> SearchParams:
    return search.model_copy(update={"candidates": max(search.candidates, candidates)})
