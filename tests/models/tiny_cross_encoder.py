"""Builds a complete cross-encoder of a few kilobytes with predictable scores.

Its score grows with the share of a text's tokens that are also in the question. Nothing is
trained. In the first layer, each token of the text attends to the same token in the question, or
to [CLS] if there is none. In the second layer, [CLS] takes the mean over the text.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from models.tiny import SPECIAL, VOCABULARY, bert_config, bert_tokenizer, write_json

_CODE, _WIDTH, _INNER = 48, 64, 4
# Positions of the other numbers in a vector, which come after the code of its token.
_IS_CLS, _IS_SEP, _SEGMENT, _FOUND, _MEAN = 48, 49, 50, 51, 52

_Weights = dict[str, npt.NDArray[np.float32]]


def build_tiny_cross_encoder(
    folder: Path, max_tokens: int = 64, *, seed: int = 0, **config: Any
) -> Path:
    """Write the model and return its folder; `config` overrides keys of its `config.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    values = bert_config(_WIDTH, max_tokens) | {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
        "intermediate_size": _INNER,
        "num_attention_heads": 1,
    }
    write_json(folder / "config.json", values | config)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "BertTokenizer",
            "model_max_length": max_tokens,
            **{f"{x[1:-1].lower()}_token": x for x in SPECIAL},
        },
    )
    bert_tokenizer().save(str(folder / "tokenizer.json"))
    weights = _embeddings(max_tokens, seed) | _layer(0) | _layer(1) | _head()
    _look_for_the_token(weights, "bert.encoder.layer.0")
    _take_the_mean(weights, "bert.encoder.layer.1")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _zeros(*shape: int) -> npt.NDArray[np.float32]:
    return np.zeros(shape, np.float32)


def _norm(name: str) -> _Weights:
    return {f"{name}.weight": np.ones(_WIDTH, np.float32), f"{name}.bias": _zeros(_WIDTH)}


def _linear(name: str, outputs: int, inputs: int) -> _Weights:
    return {f"{name}.weight": _zeros(outputs, inputs), f"{name}.bias": _zeros(outputs)}


def _embeddings(max_tokens: int, seed: int) -> _Weights:
    """Give each token a code with as many +1 as -1, so that vectors have nearly equal lengths."""
    random = np.random.default_rng(seed)
    words = _zeros(len(VOCABULARY), _WIDTH)
    half = np.repeat([1.0, -1.0], _CODE // 2)
    words[:, :_CODE] = [random.permutation(half) for _ in VOCABULARY]
    words[SPECIAL.index("[CLS]"), _IS_CLS] = words[SPECIAL.index("[SEP]"), _IS_SEP] = 4
    segments = _zeros(2, _WIDTH)
    segments[:, _SEGMENT] = 2, -2
    return {
        "bert.embeddings.word_embeddings.weight": words,
        "bert.embeddings.position_embeddings.weight": _zeros(max_tokens, _WIDTH),
        "bert.embeddings.token_type_embeddings.weight": segments,
        **_norm("bert.embeddings.LayerNorm"),
    }


def _layer(index: int) -> _Weights:
    name = f"bert.encoder.layer.{index}"
    weights: _Weights = {}
    for part in ("self.query", "self.key", "self.value", "output.dense"):
        weights |= _linear(f"{name}.attention.{part}", _WIDTH, _WIDTH)
    weights |= _linear(f"{name}.intermediate.dense", _INNER, _WIDTH)
    weights |= _linear(f"{name}.output.dense", _WIDTH, _INNER)
    return weights | _norm(f"{name}.attention.output.LayerNorm") | _norm(f"{name}.output.LayerNorm")


def _look_for_the_token(weights: _Weights, layer: str) -> None:
    query, key, value = (f"{layer}.attention.self.{name}" for name in ("query", "key", "value"))
    code = np.arange(_CODE)
    weights[f"{query}.weight"][code, code] = 5
    weights[f"{key}.weight"][code, code] = 1
    # Prefer tokens in the other segment to tokens in the same segment.
    weights[f"{query}.weight"][_SEGMENT, _SEGMENT] = 40
    weights[f"{key}.weight"][_SEGMENT, _SEGMENT] = -1
    # And prefer [CLS] to a token that is not the same.
    weights[f"{query}.bias"][_IS_CLS] = 40
    weights[f"{key}.weight"][_IS_CLS, _IS_CLS] = 1
    # Only tokens of the question that are not special have a value.
    weights[f"{value}.bias"][_FOUND] = 0.5
    weights[f"{value}.weight"][_FOUND, [_SEGMENT, _IS_CLS, _IS_SEP]] = 0.25, -0.25, -0.25
    weights[f"{layer}.attention.output.dense.weight"][_FOUND, _FOUND] = 4


def _take_the_mean(weights: _Weights, layer: str) -> None:
    query, key, value = (f"{layer}.attention.self.{name}" for name in ("query", "key", "value"))
    weights[f"{query}.bias"][_SEGMENT] = 100
    weights[f"{key}.weight"][_SEGMENT, _SEGMENT] = -1
    weights[f"{value}.weight"][_FOUND, _FOUND] = 1
    weights[f"{layer}.attention.output.dense.weight"][_MEAN, _FOUND] = 1


def _head() -> _Weights:
    weights = _linear("bert.pooler.dense", _WIDTH, _WIDTH) | _linear("classifier", 1, _WIDTH)
    weights["bert.pooler.dense.weight"][0, _MEAN] = 0.5
    weights["classifier.weight"][0, 0] = 10
    return weights
