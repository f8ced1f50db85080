"""Find the files of a cross-encoder, and check that they are complete and safe to load.

Nothing here imports torch, transformers or sentence-transformers.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moodswarm.models.configuration import read_json
from moodswarm.models.errors import ModelNotFound, ModelUnreadable
from moodswarm.models.files import MODEL_FILES, check_safetensors, file_sha256, hub_folder

_ARCHITECTURES = ("ForSequenceClassification", "ForCausalLM")


@dataclass(frozen=True, slots=True)
class CrossEncoderFiles:
    """The files that a cross-encoder is loaded from.

    Attributes:
        path: A folder, never a name, so that loading makes no network request.
        identity: SHA-256 over weights, tokenizer and configuration. It tells apart two models
            with the same name.
    """

    path: Path
    identity: str


def find_cross_encoder(model: str) -> CrossEncoderFiles:
    """Find a cross-encoder and check its files.

    Args:
        model: The path of a folder, or a name on the Hugging Face hub. The local cache of the hub
            is tried first.

    Raises:
        ModelNotFound: there is no such model; the message says how to get one.
        ModelUnreadable: a file is missing, broken or not the expected one; the message names it.
    """
    if model.startswith((".", "~", os.sep)) or Path(model).exists():
        path = _local_folder(model)
    else:
        path = hub_folder(model, _has_weights)
    _check_kind(path)
    files = _files(path)
    total = hashlib.sha256()
    # Paths are relative, so that a copy in another place has the same identity.
    for file in files:
        total.update(f"{file.relative_to(path).as_posix()}:{file_sha256(file)}\n".encode())
    return CrossEncoderFiles(path, total.hexdigest())


def _local_folder(model: str) -> Path:
    path = Path(model).expanduser().resolve()
    if not path.is_dir():
        raise ModelNotFound(
            f"reranker {model!r} is not a folder ({path}). Name the folder of a cross-encoder "
            "saved by sentence-transformers, which contains config.json."
        )
    return path


def _check_kind(path: Path) -> None:
    """Reject other kinds of model, which would be loaded with a scoring head of random numbers."""
    saved = _read_object(path / "config_sentence_transformers.json", missing={})
    kind = saved.get("model_type")
    if kind is None and (path / "modules.json").is_file():
        kind = "SentenceTransformer"
    if kind is None:
        config = path / "config.json"
        architectures = _read_object(config).get("architectures")
        if not isinstance(architectures, list) or not architectures:
            raise ModelUnreadable(f"{config} names no architectures. Download or save it again.")
        if str(architectures[0]).endswith(_ARCHITECTURES):
            return
        kind = architectures[0]
    if kind != "CrossEncoder":
        raise ModelUnreadable(
            f"{path} holds a {kind}, not a cross-encoder, and cannot score pairs. Choose one such "
            "as cross-encoder/ms-marco-MiniLM-L6-v2."
        )


def _read_object(path: Path, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    found = read_json(path, missing)
    if not isinstance(found, dict):
        raise ModelUnreadable(f"{path} does not hold a JSON object. Download or save it again.")
    return found


def _files(path: Path) -> list[Path]:
    """Return all files that a score depends on, after checking that the weights are complete."""
    folders = _folders(path)
    if not any(_weights(folder) for folder in folders):
        raise ModelUnreadable(
            f"{path} has no model.safetensors; other formats are not loaded, as they can contain "
            "code. Download it again, or load it with a program you trust and save it as "
            "safetensors."
        )
    files = {file for folder in folders for pattern in MODEL_FILES for file in folder.glob(pattern)}
    for file in files:
        if file.suffix == ".safetensors":
            check_safetensors(file)
    return sorted(files)


def _folders(path: Path) -> set[Path]:
    """Return the model's own folder and those of its modules, which must be inside it."""
    listed = path / "modules.json"
    modules = read_json(listed) if listed.is_file() else []
    try:
        folders = {path, *(path / module["path"] for module in modules)}
    except (LookupError, TypeError) as error:
        raise ModelUnreadable(
            f"{listed} does not list modules with a path each. Download or save it again."
        ) from error
    for folder in folders:
        if ".." in folder.parts or not folder.is_relative_to(path):
            raise ModelUnreadable(
                f"{listed} names a folder outside the model: {folder}. Download or save it again."
            )
    return folders


def _has_weights(path: Path) -> bool:
    return bool(_weights(path))


def _weights(folder: Path) -> list[Path]:
    return list(folder.glob("model*.safetensors"))
