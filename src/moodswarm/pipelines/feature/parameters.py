"""Typed parameters of the feature pipeline; invalid values fail before any node runs."""

from pydantic import BaseModel, ConfigDict, Field


class PagingParams(BaseModel):
    """Size of a page: the most that is in memory at once, and that is repeated after a kill."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    documents: int = Field(default=256, ge=1)
    characters: int = Field(default=100_000, ge=1)


class IndexingParams(BaseModel):
    """When an embedded collection gets an index (HNSW) that makes it faster to search."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    from_points: int = Field(default=50_000, ge=50_000)
    unindexed_share: float = Field(default=0.3, ge=0, le=1)
