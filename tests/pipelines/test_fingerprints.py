"""The changes that make the features of a document out of date."""

import pytest

from moodswarm.models.embedding_parameters import EmbeddingParams
from moodswarm.pipelines.feature.recipe import Recipe
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.lexical import LexicalParams


def prints(lexical: LexicalParams | None = None, **embedding: int) -> dict[str, str]:
    return Recipe.intended(
        CleaningParams(),
        ChunkingParams(),
        EmbeddingParams(precision="float32", **embedding),
        lexical or LexicalParams(),
    ).fingerprints()


@pytest.mark.parametrize(
    "other", [{"language": "german"}, {"k1": 0.9}, {"title_weight": 0.0}, {"average_terms": 50}]
)
def test_another_way_to_weigh_words_touches_every_kind(other: dict[str, float]) -> None:
    changed, before = prints(LexicalParams(**other)), prints()
    assert all(changed[kind] != before[kind] for kind in before)


def test_speed_touches_nothing() -> None:
    assert prints(batch_tokens=64, threads=1) == prints()
