"""Builds a complete sentence-transformers checkpoint of a few kilobytes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """
the of and to in is it that for on with as was be are by at from this have not but they you we a
an or if all can more when which one her his their what there so up out about who will would how
model data text chunk token vector store search query document article post code write read work
time day year way man new old good great first last long little own right left high small large
tea boat boats tide tides ferry strike sea harbour island winter summer morning night house garden
bread water stone river letter story people world life hand part child eye place week case point
""".split()
PIECES = """
s es ed er est ing ly ion tion ation able ness ment ful less al ity ous ive en an in on re th he nd
ou ea st nt ti io le is or ar as te et ng of it se me ve co ro ra ri no de to ta la li el ne om
""".split()
LETTERS = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
VOCABULARY = list(dict.fromkeys([*SPECIAL, *LETTERS, *(f"##{x}" for x in LETTERS), *WORDS]))
VOCABULARY += [f"##{piece}" for piece in PIECES if f"##{piece}" not in VOCABULARY]
LAYERS, HEADS = 2, 4
POOLING = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}

MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {
        "idx": 2,
        "name": "2",
        "path": "2_Normalize",
        "type": "sentence_transformers.models.Normalize",
    },
]


def build_tiny_checkpoint(
    folder: Path,
    dimensions: int = 32,
    max_tokens: int = 64,
    *,
    seed: int = 0,
    pooling: str = "mean",
) -> Path:
    """Write a BERT of two layers whose weights depend only on the seed, and return its folder.

    Texts that share words have similar vectors, because word embeddings outweigh the layers.
    """
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    write_json(folder / "modules.json", MODULES)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens})
    write_json(folder / "config.json", bert_config(dimensions, max_tokens))
    write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": dimensions, f"pooling_mode_{POOLING[pooling]}": True},
    )
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "BertTokenizer",
            "model_max_length": max_tokens,
            **{f"{x[1:-1].lower()}_token": x for x in SPECIAL},
        },
    )
    bert_tokenizer().save(str(folder / "tokenizer.json"))
    save_file(
        bert_weights(dimensions, max_tokens, seed),
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def bert_config(dimensions: int, max_tokens: int) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": dimensions,
        "intermediate_size": 2 * dimensions,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": max_tokens,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "type_vocab_size": 2,
        "vocab_size": len(VOCABULARY),
    }


def bert_tokenizer() -> Tokenizer:
    ids = {token: index for index, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    return tokenizer


def bert_weights(dimensions: int, max_tokens: int, seed: int) -> dict[str, npt.NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    weights: dict[str, npt.NDArray[np.float32]] = {}

    def add(name: str, *shape: int, scale: float) -> None:
        weights[name] = (scale * random.standard_normal(shape)).astype(np.float32)

    def add_linear(name: str, outputs: int, inputs: int) -> None:
        add(f"{name}.weight", outputs, inputs, scale=0.05)
        add(f"{name}.bias", outputs, scale=0.02)

    def add_norm(name: str) -> None:
        weights[f"{name}.weight"] = np.ones(dimensions, np.float32)
        add(f"{name}.bias", dimensions, scale=0.02)

    add("embeddings.word_embeddings.weight", len(VOCABULARY), dimensions, scale=1.0)
    add("embeddings.position_embeddings.weight", max_tokens, dimensions, scale=0.02)
    add("embeddings.token_type_embeddings.weight", 2, dimensions, scale=0.02)
    add_norm("embeddings.LayerNorm")
    for layer in (f"encoder.layer.{index}" for index in range(LAYERS)):
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            add_linear(f"{layer}.attention.{part}", dimensions, dimensions)
        add_linear(f"{layer}.intermediate.dense", 2 * dimensions, dimensions)
        add_linear(f"{layer}.output.dense", dimensions, 2 * dimensions)
        add_norm(f"{layer}.attention.output.LayerNorm")
        add_norm(f"{layer}.output.LayerNorm")
    return weights
