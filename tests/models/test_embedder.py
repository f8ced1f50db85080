"""The embedder returns the right vectors in order, or an error that names the text."""

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from models.tiny import MODULES, build_tiny_checkpoint, write_json
from moodswarm.models.embedder import Embedder, embed_batch
from moodswarm.models.encoders import BatchedEncoder, length_sorted_batches
from moodswarm.models.errors import ChunkTooLong, EmbeddingNotFinite, ModelUnreadable

TEXTS = ["the ferry strike", "", "tea", "boats and tides " * 12, "def code(): return 1", "東京"]


@pytest.fixture(scope="module")
def embedder(tiny_model: Path) -> Embedder:
    return Embedder(str(tiny_model), precision="float32")


def test_rows_have_unit_norm_and_the_given_order(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), 32), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(embedder.embed([text])[0], vector, atol=1e-6)


def test_without_texts_there_are_no_rows_of_the_right_width(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 32)


def test_a_plain_bert_needs_no_sentence_transformers(embedder: Embedder) -> None:
    assert isinstance(embedder._load(), BatchedEncoder)


def test_vectors_of_a_checkpoint_without_normalising_have_unit_norm_too(tmp_path: Path) -> None:
    path = build_tiny_checkpoint(tmp_path)
    write_json(path / "modules.json", MODULES[:2])
    norms = np.linalg.norm(Embedder(str(path)).embed(TEXTS), axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-5)


def test_a_text_over_the_limit_is_named_and_not_cut(embedder: Embedder) -> None:
    with pytest.raises(ChunkTooLong, match="text 1 has 102 tokens and the model reads 64") as error:
        embedder.embed(["tea", "tea " * 100])
    assert (error.value.index, error.value.tokens, error.value.limit) == (1, 102, 64)


def test_a_text_at_the_limit_is_read_whole(embedder: Embedder) -> None:
    assert embedder.embed(["tea " * 62]).shape == (1, 32)


def test_a_long_query_is_cut_and_logged(
    embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "moodswarm"):
        vector = embedder.embed_query("tea " * 62 + "boats " * 40)
    np.testing.assert_allclose(vector, embedder.embed(["tea " * 62])[0], atol=1e-6)
    assert "104 tokens; only 64 are read" in caplog.text


def test_a_vector_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    path = build_tiny_checkpoint(tmp_path)
    weights = load_file(path / "model.safetensors")
    weights["encoder.layer.1.output.dense.bias"][0] = np.nan
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EmbeddingNotFinite, match="NaN or infinity for text 0"):
        Embedder(str(path), precision="float32").embed(["tea"])


def test_a_tensor_that_is_missing_is_named(tmp_path: Path) -> None:
    path = build_tiny_checkpoint(tmp_path)
    weights = load_file(path / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, path / "model.safetensors")
    with pytest.raises(ModelUnreadable, match=r"no tensor encoder\.layer\.1\.output\.dense\.bias"):
        Embedder(str(path)).embed(["tea"])


def test_bfloat16_is_nearly_float32(tiny_model: Path, embedder: Embedder) -> None:
    vectors = Embedder(str(tiny_model), precision="bfloat16").embed(TEXTS)
    assert (vectors * embedder.embed(TEXTS)).sum(axis=1).min() > 0.999


def test_bfloat16_works_where_the_processor_cannot_pack_it(
    monkeypatch: pytest.MonkeyPatch, tiny_model: Path, embedder: Embedder
) -> None:
    monkeypatch.setattr("moodswarm.models.bert.can_pack", lambda dtype: dtype == torch.float32)
    vectors = Embedder(str(tiny_model), precision="bfloat16").embed(TEXTS)
    assert (vectors * embedder.embed(TEXTS)).sum(axis=1).min() > 0.999


@pytest.mark.parametrize(("batch_tokens", "threads"), [(1, 1), (100, 2), (10_000, 3)])
def test_batches_and_threads_change_only_the_speed(
    batch_tokens: int, threads: int, tiny_model: Path, embedder: Embedder
) -> None:
    other = Embedder(
        str(tiny_model), precision="float32", batch_tokens=batch_tokens, threads=threads
    )
    np.testing.assert_allclose(other.embed(TEXTS), embedder.embed(TEXTS), atol=1e-6)


def test_the_thread_settings_of_the_process_are_left_alone(embedder: Embedder) -> None:
    import torch

    before = torch.get_num_threads()
    embedder.embed(TEXTS)
    assert torch.get_num_threads() == before


def test_only_the_arguments_are_pickled(embedder: Embedder) -> None:
    expected = embedder.embed(["tea"])
    sent = pickle.dumps(embedder)
    assert len(sent) < 1_000
    np.testing.assert_array_equal(pickle.loads(sent).embed(["tea"]), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"precision": "int4"}, "precision is 'int4'; expected one of"),
        ({"batch_tokens": 0}, "batch_tokens is 0; expected at least 1"),
        ({"threads": -1}, "threads is -1; expected at least 1"),
    ],
)
def test_a_bad_argument_is_refused_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Embedder(**arguments)


def test_a_batch_of_chunks_gets_a_column_of_vectors(embedder: Embedder) -> None:
    table = pa.table({"id": ["a", "b"], "text": ["tea", "boats"]})
    found = embed_batch(table, embedder)
    assert found.column_names == ["id", "text", "vector"]
    assert found["vector"].type == pa.list_(pa.float32(), 32)
    flat = found["vector"].combine_chunks().values.to_numpy()
    np.testing.assert_allclose(flat.reshape(2, 32), embedder.embed(["tea", "boats"]), atol=1e-6)


def test_an_empty_batch_keeps_its_columns(embedder: Embedder) -> None:
    table = pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    assert embed_batch(table, embedder)["vector"].type == pa.list_(pa.float32(), 32)


def test_a_chunk_over_the_limit_is_named_by_its_id(embedder: Embedder) -> None:
    table = pa.table({"id": ["a", "b"], "text": ["tea", "tea " * 100]})
    with pytest.raises(ChunkTooLong, match="chunk b has 102 tokens"):
        embed_batch(table, embedder)


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=60),
    batch_tokens=st.integers(1, 1_000),
)
@settings(deadline=None, max_examples=100)
def test_every_text_is_in_one_batch_of_bounded_size(lengths: list[int], batch_tokens: int) -> None:
    array = np.array(lengths)
    batches = list(length_sorted_batches(array, batch_tokens))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(
        len(batch) == 1 or len(batch) * array[batch].max() <= batch_tokens for batch in batches
    )
