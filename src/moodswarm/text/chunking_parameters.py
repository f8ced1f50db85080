"""Chunk sizes for each kind of document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TokenSize(BaseModel):
    """Chunk size in tokens, not counting special tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Literal["tokens"] = "tokens"
    size: int = Field(gt=0, le=100_000)
    overlap: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _overlap_below_size(self) -> "TokenSize":
        if self.overlap >= self.size:
            raise ValueError(f"overlap {self.overlap} must be below size {self.size} (tokens)")
        return self


class CharacterSize(BaseModel):
    """Chunk size in characters; a document below the minimum still becomes a chunk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Literal["characters"] = "characters"
    min_characters: int = Field(gt=0)
    max_characters: int = Field(gt=0, le=1_000_000)
    overlap: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _bounds_in_order(self) -> "CharacterSize":
        if self.min_characters > self.max_characters:
            raise ValueError(
                f"min_characters {self.min_characters} must not be above "
                f"max_characters {self.max_characters}"
            )
        if self.overlap >= self.min_characters:
            raise ValueError(
                f"overlap {self.overlap} must be below min_characters {self.min_characters}"
            )
        return self


Size = Annotated[TokenSize | CharacterSize, Field(discriminator="unit")]


class ChunkingParams(BaseModel):
    """The size of chunks for each kind of document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    post: Size = TokenSize(size=250, overlap=25)
    article: Size = CharacterSize(min_characters=1_000, max_characters=2_000)
    repository: Size = TokenSize(size=1_500, overlap=100)
