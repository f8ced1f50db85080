"""Typed parameters for embedding, shared by all pipelines that embed texts."""

from pydantic import BaseModel, ConfigDict, Field

from moodswarm.models.embedder import Embedder, Precision


class EmbeddingParams(BaseModel):
    """The embedding model and its settings; the fields are the arguments of `Embedder`."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
    model: str = "all-MiniLM-L6-v2"
    precision: Precision = "auto"
    batch_tokens: int | None = Field(default=None, ge=1)
    threads: int | None = Field(default=None, ge=1)
    device: str = "auto"

    def embedder(self) -> Embedder:
        """Return the model, which is loaded when it is first used."""
        return Embedder(**self.model_dump())
