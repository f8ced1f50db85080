"""Were the chunks that a search found made with what the question was made with?"""

from collections.abc import Iterable

from moodswarm.models.embedder import Embedder
from moodswarm.retrieval.errors import FEATURE_RUN, ModelMismatch, StageMissing
from moodswarm.retrieval.fusion import Ranker
from moodswarm.retrieval.neighbours import Candidate
from moodswarm.stores.vectors.protocol import Hit
from moodswarm.text.lexical import LexicalEncoder


def other_models(
    candidates: Iterable[Candidate], embedder: Embedder, lexical: LexicalEncoder | None
) -> dict[Ranker, ModelMismatch]:
    """Return, per search whose scores mean nothing, the error that says so.

    Points that do not say what they were made with are let through; the run that wrote them said
    no more.

    Args:
        candidates: With payloads, and the scores of the searches that found them.
        embedder: What the question was embedded with.
        lexical: What its words were weighed with.
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


def without_words(candidates: Iterable[Candidate]) -> StageMissing | None:
    """Say which collections hold chunks that a search for words cannot find.

    A feature run that was killed while it took over a collection of an older version leaves some.

    Args:
        candidates: With payloads.
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
        f"the question ({model}); {FEATURE_RUN} first, which makes them again, or, if it was the "
        "parameters `lexical` that changed, set them back"
    )
