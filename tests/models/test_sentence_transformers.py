"""Vectors equal those of sentence-transformers, which runs any checkpoint that is not plain BERT.

Importing sentence-transformers takes some ten CPU-seconds, so all of these tests are slow.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.tiny import MODULES, build_tiny_checkpoint, write_json
from moodswarm.models.embedder import Embedder
from moodswarm.models.encoders import SentenceTransformerEncoder
from moodswarm.models.errors import ModelUnreadable

pytestmark = pytest.mark.slow
TEXTS = ["the ferry strike", "", "tea", "boats and tides " * 12, "def code(): return 1", "東京"]


def sentence_transformers_vectors(path: Path, texts: list[str]) -> Any:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(path), device="cpu", local_files_only=True)
    return model.encode(texts, show_progress_bar=False)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_vectors_equal_those_of_sentence_transformers(pooling: str, tmp_path: Path) -> None:
    path = build_tiny_checkpoint(tmp_path, pooling=pooling)
    vectors = Embedder(str(path), precision="float32").embed(TEXTS)
    np.testing.assert_allclose(vectors, sentence_transformers_vectors(path, TEXTS), atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_default_model_equals_sentence_transformers(precision: Any) -> None:
    embedder = Embedder(precision=precision)
    expected = sentence_transformers_vectors(embedder.checkpoint.path, TEXTS)
    vectors = embedder.embed(TEXTS)
    if precision == "float32":
        np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert (vectors * expected).sum(axis=1).mean() > 0.9995


def test_any_other_checkpoint_is_run_by_sentence_transformers(tmp_path: Path) -> None:
    path = build_tiny_checkpoint(tmp_path, pooling="max")
    assert isinstance(Embedder(str(path))._load(), SentenceTransformerEncoder)


@pytest.fixture
def unusual(tmp_path: Path) -> Path:
    """A checkpoint that pools by maximum and does not normalise."""
    path = build_tiny_checkpoint(tmp_path, pooling="max")
    write_json(path / "modules.json", MODULES[:2])
    return path


def test_vectors_have_unit_norm_even_if_the_checkpoint_does_not_normalise(unusual: Path) -> None:
    norms = np.linalg.norm(Embedder(str(unusual), precision="float32").embed(TEXTS), axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-5)


def test_batches_keep_the_order(unusual: Path) -> None:
    one, all_ = (Embedder(str(unusual), batch_tokens=size) for size in (1, 10_000))
    np.testing.assert_allclose(one.embed(TEXTS), all_.embed(TEXTS), atol=1e-6)


def test_a_long_query_is_cut_where_the_model_cuts_it(
    unusual: Path, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = Embedder(str(unusual))
    with caplog.at_level(logging.WARNING, "moodswarm"):
        vector = embedder.embed_query("tea " * 62 + "boats " * 40)
    np.testing.assert_allclose(vector, embedder.embed(["tea " * 62])[0], atol=1e-6)


def test_a_checkpoint_that_cannot_be_loaded_is_named(unusual: Path) -> None:
    write_json(unusual / "config.json", {"model_type": "no_such_model"})
    with pytest.raises(ModelUnreadable, match="cannot be loaded by sentence-transformers"):
        Embedder(str(unusual)).embed(["tea"])


def test_unused_prompts_are_logged(unusual: Path, caplog: pytest.LogCaptureFixture) -> None:
    prompts = {"query": "query: ", "document": ""}
    write_json(unusual / "config_sentence_transformers.json", {"prompts": prompts})
    with caplog.at_level(logging.WARNING, "moodswarm"):
        Embedder(str(unusual)).embed(["tea"])
    assert "has prompts, which are not used: query" in caplog.text
