"""Typed parameters of the evaluation; invalid values fail before any node runs."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from moodswarm.evaluation.retrieval.configurations import require_known
from moodswarm.retrieval.question import MAX_HITS


class EvaluationParams(BaseModel):
    """The questions, the configurations to compare, and whether a worse result fails the run."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    questions: int = Field(default=200, ge=1, le=100_000)
    seed: int = 0
    written_share: float = Field(default=0.5, ge=0, le=1)
    # Limits in the currency of the profile's price, and in tokens; None sets no limit.
    written_max_cost: float | None = Field(default=None, ge=0)
    written_max_tokens: int | None = Field(default=None, ge=0)
    # Empty means all configurations, but `hybrid_rerank` only if reranking is on.
    configurations: tuple[str, ...] = ()
    k: int = Field(default=10, ge=10, le=MAX_HITS)
    gate: bool = True
    record_baseline: bool = False

    @field_validator("configurations", mode="before")
    @classmethod
    def _listed(cls, names: object) -> object:
        """Accept one string of names as well, because `--params` splits a list at its commas."""
        return tuple(names.split()) if isinstance(names, str) else names

    @field_validator("configurations")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        require_known(names)
        return names
