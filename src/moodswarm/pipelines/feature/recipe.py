"""The recipe by which documents become points, kept with every page so that revisions show it."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from moodswarm.models.embedding_parameters import EmbeddingParams
from moodswarm.pipelines.feature.selection import revision_of
from moodswarm.records import KINDS
from moodswarm.records.ids import digest
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.lexical import LexicalEncoder, LexicalParams
from moodswarm.text.steps import CODE_VERSION

_KEY = b"moodswarm.recipe"


class StalePages(ValueError):
    """Pages from an earlier run do not belong together; the message says where to start again."""


class Recipe(BaseModel):
    """Everything that decides how documents become points.

    The first node writes down what the run intends, and each later node what it did. The two
    differ if only some nodes are run, with other parameters, on pages that an earlier run left.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    cleaning: dict[str, Any]
    chunking: dict[str, dict[str, Any]]
    precision: str
    lexical: str
    code: dict[str, int]
    models: dict[str, str]

    @classmethod
    def intended(
        cls,
        cleaning: CleaningParams,
        chunking: ChunkingParams,
        embedding: EmbeddingParams,
        lexical: LexicalParams,
    ) -> "Recipe":
        """Return the recipe of a run in which every node uses these parameters."""
        model = embedding.embedder().identity
        return cls(
            cleaning=cleaning.model_dump(mode="json"),
            chunking=chunking.model_dump(mode="json"),
            precision=embedding.precision,
            lexical=LexicalEncoder(lexical).identity,
            code={"cleaning": CODE_VERSION, "chunking": CODE_VERSION},
            models={"chunking": model, "embedding": model},
        )

    @classmethod
    def of(cls, pages: Iterable[pa.Table]) -> "Recipe":
        """Read the recipe that was kept with pages; all pages of a node have the same recipe.

        Raises:
            StalePages: the pages have no recipe.
        """
        metadata = next((page.schema.metadata for page in pages), None) or {}
        try:
            return cls.model_validate_json(metadata.get(_KEY, b""))
        except ValidationError as error:
            raise StalePages(
                "the pages that an earlier run left do not say how they were made. Run the whole "
                "pipeline: kedro run --pipeline=feature"
            ) from error

    def keep(self, page: pa.Table) -> pa.Table:
        """Return the page with this recipe."""
        return page.replace_schema_metadata({_KEY: self.model_dump_json().encode()})

    def cleaned_with(self, cleaning: CleaningParams) -> "Recipe":
        """Return the recipe after cleaning."""
        code = {**self.code, "cleaning": CODE_VERSION}
        return self.model_copy(update={"cleaning": cleaning.model_dump(mode="json"), "code": code})

    def chunked_with(self, chunking: ChunkingParams, model: str) -> "Recipe":
        """Return the recipe after chunking with the tokenizer of a model."""
        return self.model_copy(
            update={
                "chunking": chunking.model_dump(mode="json"),
                "code": {**self.code, "chunking": CODE_VERSION},
                "models": {**self.models, "chunking": model},
            }
        )

    def embedded_with(self, model: str, precision: str, lexical: str) -> "Recipe":
        """Return the recipe after embedding."""
        models = {**self.models, "embedding": model}
        return self.model_copy(
            update={"models": models, "precision": precision, "lexical": lexical}
        )

    def fingerprints(self) -> dict[str, str]:
        """Return a digest of the recipe for each kind.

        Batch sizes and thread counts are left out: they change the speed, not the result.
        """
        shared = {
            "code": _one(self.code),
            "cleaning": self.cleaning,
            "model": _one(self.models),
            "precision": self.precision,
            "lexical": self.lexical,
        }
        return {kind: digest({**shared, "chunking": self.chunking[kind]}) for kind in KINDS}

    def revisions(self, documents: pa.Table) -> list[str]:
        """Return the revision of each row; the columns `kind` and `content_hash` are read."""
        fingerprints = self.fingerprints()
        hashes, kinds = documents["content_hash"].to_pylist(), documents["kind"].to_pylist()
        return [
            revision_of(hash_, fingerprints[kind])
            for hash_, kind in zip(hashes, kinds, strict=True)
        ]

    def stamp(self, documents: pa.Table) -> pa.Table:
        """Return the documents with the revisions that follow from this recipe."""
        return with_revisions(documents, self.revisions(documents))


def with_revisions(table: pa.Table, revisions: list[str]) -> pa.Table:
    """Replace the column `revision`."""
    position = table.schema.get_field_index("revision")
    column = pa.array(revisions, pa.string())
    return table.set_column(position, table.schema.field(position), column)


def _one(values: Mapping[str, Any]) -> Any:
    """Return the value that all steps share, or all values if they differ."""
    distinct = list(dict.fromkeys(values.values()))
    return distinct[0] if len(distinct) == 1 else dict(values)
