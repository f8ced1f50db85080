"""Typed parameters of the feature pipeline; invalid values fail before any node runs."""

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


class PagingParams(BaseModel):
    """Size of a page: the most that a killed run repeats, and that memory holds at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    documents: int = Field(default=256, ge=1)
    characters: int = Field(default=100_000, ge=1)


class IndexingParams(BaseModel):
    """When an embedded collection gets an index (HNSW) that makes it faster to search."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    from_points: int = Field(default=50_000, ge=50_000)
    unindexed_share: float = Field(default=0.3, ge=0, le=1)
