"""Read the JSON files that describe a sentence-transformers checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moodswarm.models.errors import ModelUnreadable

_NO_LIMIT = 1e9  # tokenizers without a limit report a number such as 1e30
# Older checkpoints have one boolean per kind of pooling; newer ones have a single `pooling_mode`.
_POOLING = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}


@dataclass(frozen=True, slots=True)
class Module:
    """One step of a checkpoint, such as `Transformer`, `Pooling`, `Dense` or `Normalize`."""

    kind: str
    folder: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checkpoint's steps and sizes.

    Attributes:
        modules: In the order in which a text passes through them.
        transformer: The contents of the model's own `config.json`.
        dimensions: Size of a vector.
        max_tokens: Maximum number of tokens that the model reads of a text, special tokens
            included.
        prompts: Non-empty prefixes that the checkpoint defines for some kinds of text, by name.
    """

    modules: tuple[Module, ...]
    transformer: Mapping[str, Any]
    dimensions: int
    max_tokens: int
    prompts: Mapping[str, str]

    @property
    def pooling(self) -> str | None:
        """The kind of pooling if the checkpoint uses only `mean` or only `cls`, else None."""
        config = next((module.config for module in self.modules if module.kind == "Pooling"), {})
        modes = config.get("pooling_mode") or [
            _POOLING.get(key, key)
            for key, on in config.items()
            if key.startswith("pooling_mode_") and on
        ]
        modes = [modes] if isinstance(modes, str) else list(modes)
        return modes[0] if modes in (["mean"], ["cls"]) else None

    @property
    def is_plain_bert(self) -> bool:
        """Tell whether it is BERT with mean or first-token pooling, perhaps then normalised."""
        kinds = [module.kind for module in self.modules]
        config = self.transformer
        return (
            kinds in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
            and self.modules[0].folder == ""
            and self.pooling is not None
            and config.get("model_type") == "bert"
            and config.get("hidden_act") == "gelu"
            and config.get("position_embedding_type", "absolute") == "absolute"
            and not config.get("is_decoder", False)
        )


def read_configuration(path: Path) -> Configuration:
    """Read the configuration of the checkpoint in a folder.

    Raises:
        ModelUnreadable: a file is missing, broken or incomplete; the message names it.
    """
    modules = _read_modules(path)
    transformer = read_json(path / modules[0].folder / "config.json")
    text = read_json(path / modules[0].folder / "sentence_bert_config.json", missing={})
    if text.get("do_lower_case"):
        raise ModelUnreadable(
            f"{path / 'sentence_bert_config.json'} asks for do_lower_case, which is not supported. "
            "Put a Lowercase normalizer into tokenizer.json instead."
        )
    prompts = read_json(path / "config_sentence_transformers.json", missing={}).get("prompts") or {}
    return Configuration(
        modules=modules,
        transformer=transformer,
        dimensions=_dimensions(path, modules, transformer),
        max_tokens=_longest_input(path / modules[0].folder, text, transformer),
        prompts={name: prompt for name, prompt in prompts.items() if prompt},
    )


def read_json(path: Path, missing: dict[str, Any] | None = None) -> Any:
    """Read a JSON file.

    Args:
        path: The file.
        missing: Value to return if there is no such file; if None, a missing file is an error.

    Raises:
        ModelUnreadable: the file cannot be read; the message says why.
    """
    if missing is not None and not path.exists():
        return missing
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelUnreadable(
            f"{path} is missing, so {path.parent} is not a complete sentence-transformers "
            "checkpoint. Download or save it again."
        ) from error
    except (OSError, ValueError) as error:
        raise ModelUnreadable(
            f"{path} cannot be read as JSON ({error}). Download or save the checkpoint again."
        ) from error


def _read_modules(path: Path) -> tuple[Module, ...]:
    listed = read_json(path / "modules.json")
    try:
        modules = tuple(
            Module(
                kind=str(entry["type"]).rpartition(".")[2],
                folder=str(entry["path"]),
                config=read_json(path / entry["path"] / "config.json", missing={}),
            )
            for entry in listed
        )
    except (KeyError, TypeError) as error:
        raise ModelUnreadable(
            f"{path / 'modules.json'} does not list modules with a type and a path each. "
            "Download or save the checkpoint again."
        ) from error
    if not modules or modules[0].kind != "Transformer":
        raise ModelUnreadable(
            f"{path / 'modules.json'} does not begin with a Transformer module. "
            "Name a sentence-transformers checkpoint of a text model; no other can embed."
        )
    return modules


def _dimensions(path: Path, modules: tuple[Module, ...], transformer: Mapping[str, Any]) -> int:
    """Return the size stated by the last module that states one, else the transformer's size."""
    names = ("out_features", "embedding_dimension", "word_embedding_dimension")
    sizes = [module.config[name] for module in modules for name in names if name in module.config]
    size = sizes[-1] if sizes else transformer.get("hidden_size")
    if not isinstance(size, int) or size < 1:
        raise ModelUnreadable(
            f"{path} does not say how long its vectors are. Set word_embedding_dimension in the "
            "pooling module's config.json."
        )
    return size


def _longest_input(path: Path, text: Mapping[str, Any], transformer: Mapping[str, Any]) -> int:
    """Return the limit of the checkpoint or else of its tokenizer, at most its position count."""
    tokenizer = read_json(path / "tokenizer_config.json", missing={})
    named = text.get("max_seq_length") or tokenizer.get("model_max_length")
    limits = [
        int(limit)
        for limit in (named, transformer.get("max_position_embeddings"))
        if isinstance(limit, int | float) and 0 < limit < _NO_LIMIT
    ]
    if not limits:
        raise ModelUnreadable(
            f"{path} does not say how many tokens it reads. "
            "Set max_seq_length in sentence_bert_config.json."
        )
    return min(limits)
