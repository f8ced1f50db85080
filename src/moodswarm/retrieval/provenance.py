"""Checks that the chunks a search found were made with the same models as the question."""

from collections.abc import Iterable, Mapping, Sequence

from moodswarm.models.embedder import Embedder
from moodswarm.retrieval.candidates import Candidate
from moodswarm.retrieval.errors import FEATURE_RUN, ModelMismatch, RetrievalFailed, StageMissing
from moodswarm.retrieval.fusion import Ranker, Ranking
from moodswarm.retrieval.hybrid_search import WITHOUT
from moodswarm.retrieval.trace import Trace
from moodswarm.stores.vectors.protocol import Hit
from moodswarm.text.lexical import LexicalEncoder


def other_models(
    candidates: Iterable[Candidate], embedder: Embedder, lexical: LexicalEncoder | None
) -> dict[Ranker, ModelMismatch]:
    """Return, for each search whose scores mean nothing, the error that says so.

    Points that do not name their model are let through, as older versions did not record it.

    Args:
        candidates: Candidates with payloads, and with the scores of the searches that found them.
        embedder: The model that the question was embedded with.
        lexical: The encoder that the question's words were weighted with.
    """
    found: dict[Ranker, ModelMismatch] = {}
    for candidate in candidates:
        hit, scores = candidate.hit, candidate.scores
        if "dense" in scores and "dense" not in found:
            model = embedder.identity[:16]
            if (other := hit.payload.get("model", model)) != model:
                found["dense"] = _vectors(hit, other, f"{embedder.checkpoint.name} ({model})")
        if lexical and "lexical" in scores and "lexical" not in found:
            model = lexical.identity[:16]
            if (other := hit.payload.get("lexical_model", model)) != model:
                found["lexical"] = _words(hit, other, model)
    return found


def leave_out(
    rankings: Sequence[Ranking], others: Mapping[Ranker, ModelMismatch], trace: Trace
) -> list[Ranking]:
    """Leave out the searches whose scores mean nothing, and say so in their reports.

    Args:
        rankings: One or more rankings from each search.
        others: The errors by search, from `other_models`.
        trace: The trace; the stages that are done again without these searches are taken out.

    Raises:
        RetrievalFailed: no search is left; names the reasons. A single reason is raised as it is.
    """
    kept = [ranking for ranking in rankings if ranking.ranker not in others]
    errors = tuple(others.values())
    if not kept:
        raise errors[0] if len(errors) == 1 else RetrievalFailed(errors)
    trace.stages = [report for report in trace.stages if report.stage not in ("fusion", "read")]
    for report in trace.stages:
        for ranker, error in others.items():
            if report.stage == ranker:
                report.state, report.detail = "degraded", f"{error}; searched {WITHOUT[ranker]}"
    return kept


def note_missing_words(candidates: Sequence[Candidate], trace: Trace) -> None:
    """Say in the report on the lexical search which collections it could search only in part.

    Args:
        candidates: Candidates with payloads.
        trace: The trace; changed only if the lexical search ran without a fault of its own.
    """
    for report in trace.stages:
        if (report.stage, report.state) == ("lexical", "ran") and (
            missing := _without_words(candidates)
        ):
            report.state, report.detail = "degraded", f"{report.detail}; {missing}"


def _without_words(candidates: Iterable[Candidate]) -> StageMissing | None:
    """Say which collections hold chunks that a search for words cannot find.

    A feature run that is killed while it brings an older collection up to date leaves such chunks.
    """
    old = {c.hit.collection for c in candidates if "lexical_model" not in c.hit.payload}
    if not old:
        return None
    return StageMissing(
        f"some chunks of {', '.join(sorted(old))} have no word vectors; {FEATURE_RUN}, which adds "
        "them"
    )


def _vectors(hit: Hit, other: str, model: str) -> ModelMismatch:
    return ModelMismatch(
        f"collection {hit.collection} holds vectors of another model ({other}) than {model}; "
        f"{FEATURE_RUN} first, which embeds its documents again, or set `embedding.model` back"
    )


def _words(hit: Hit, other: str, model: str) -> ModelMismatch:
    return ModelMismatch(
        f"collection {hit.collection} holds word vectors of other settings ({other}) than those of "
        f"the question ({model}); {FEATURE_RUN} first, which makes them again, or set the "
        "parameters `lexical` back if those were changed"
    )
