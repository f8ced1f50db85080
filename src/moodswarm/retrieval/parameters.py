"""Typed parameters of retrieval; the comments with trade-offs are in `parameters_retrieval.yml`."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from moodswarm.retrieval.fusion import FusionParams
from moodswarm.retrieval.question import MAX_HITS


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class SelfQueryParams(_Params):
    """Reading author, kind and dates out of the question itself."""

    enabled: bool = True
    # If true, the configured model reads the question; the rules do so only if there is no model or
    # it fails.
    use_model: bool = False
    timeout_seconds: float = Field(default=10.0, gt=0)


class ExpansionParams(_Params):
    """Other wordings of the question, written by the configured model."""

    enabled: bool = True
    queries: int = Field(default=3, ge=1, le=10)
    # The weight of an expansion's hits; hits of the question itself weigh 1.
    weight: float = Field(default=0.5, gt=0, le=1)
    timeout_seconds: float = Field(default=10.0, gt=0)


class SearchParams(_Params):
    """One of the two searches, dense or lexical."""

    enabled: bool = True
    candidates: int = Field(default=200, ge=1, le=MAX_HITS)
    timeout_seconds: float = Field(default=10.0, gt=0)


class NeighbourParams(_Params):
    """The chunks before and after a hit in the same document."""

    enabled: bool = True
    before: int = Field(default=1, ge=0, le=10)
    after: int = Field(default=1, ge=0, le=10)
    timeout_seconds: float = Field(default=10.0, gt=0)


class RerankParams(_Params):
    """Scoring the best candidates again with a cross-encoder."""

    enabled: bool = False
    model: str = "cross-encoder/ms-marco-MiniLM-L6-v2"
    candidates: int = Field(default=30, ge=1, le=MAX_HITS)
    batch_size: int = Field(default=16, ge=1)
    timeout_seconds: float = Field(default=30.0, gt=0)
    device: str = "auto"


class ContextParams(_Params):
    """The part of the passages that a model is given."""

    enabled: bool = True
    max_tokens: int = Field(default=2_000, ge=50)


class RetrievalParams(_Params):
    """The parameters for all stages of a retrieval, in the order of the stages."""

    k: int = Field(default=5, ge=1, le=MAX_HITS)
    self_query: SelfQueryParams = SelfQueryParams()
    expansion: ExpansionParams = ExpansionParams()
    dense: SearchParams = SearchParams()
    lexical: SearchParams = SearchParams()
    fusion: FusionParams = Field(default_factory=FusionParams)
    rerank: RerankParams = RerankParams()
    neighbours: NeighbourParams = NeighbourParams()
    context: ContextParams = ContextParams()

    @model_validator(mode="after")
    def _something_searches(self) -> Self:
        if not (self.dense.enabled or self.lexical.enabled):
            raise ValueError("dense and lexical search are both off; enable one of them")
        return self

    def switched(self, **stages: bool) -> Self:
        """Return the same parameters with stages switched on or off, such as `rerank=False`."""
        return self.model_copy(
            update={
                name: getattr(self, name).model_copy(update={"enabled": on})
                for name, on in stages.items()
            }
        )

    def without_context(self) -> Self:
        """Return the same parameters without the context, which takes some ms to build."""
        return self.switched(context=False)

    def ranking_only(self) -> Self:
        """Return the same parameters without the stages that read the question or widen hits."""
        return self.switched(self_query=False, expansion=False, neighbours=False, context=False)
