"""Fetch the files of a model, check that they are complete, and hash them.

Nothing here imports torch or transformers.
"""

import hashlib
import json
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from moodswarm.models.errors import ModelNotFound, ModelUnreadable

#: Files that make up a model; weights in other formats are not downloaded.
MODEL_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]
_UNWANTED = ["onnx/*", "openvino/*"]
# Without a timeout, the hub's client waits forever on a network that drops packets silently.
_PROBE_SECONDS = 5.0


def hub_folder(model: str, is_whole: Callable[[Path], bool], *, known: str = "") -> Path:
    """Return the local folder of a model on the Hugging Face hub, downloading it if needed.

    Args:
        model: Name on the hub.
        is_whole: Tells whether a folder in the cache is complete; an interrupted download leaves
            a folder without weights.
        known: Words for the error message that say what else the name could have been.

    Raises:
        ModelNotFound: the model cannot be obtained; the message says why, and how to get it.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError

    try:
        path = _snapshot(model, local=True)
        # Offline, an incomplete copy is all there is; reading it raises an error that names the
        # missing file.
        if constants.HF_HUB_OFFLINE or is_whole(path):
            return path
    except HFValidationError as error:
        raise _not_found(model, known, str(error)) from error
    except OSError as error:
        if constants.HF_HUB_OFFLINE:
            tried = "the hub is switched off by HF_HUB_OFFLINE"
            raise _not_found(model, known, tried) from error
    try:
        return _download(model)
    except Exception as error:  # the hub's HTTP client and its errors differ between versions
        raise _not_found(model, known, str(error) or type(error).__name__) from error


def _snapshot(model: str, *, local: bool) -> Path:
    from huggingface_hub import snapshot_download

    folder = snapshot_download(
        model,
        allow_patterns=MODEL_FILES,
        ignore_patterns=_UNWANTED,
        local_files_only=local,
    )
    return Path(folder)


def _download(model: str) -> Path:
    from huggingface_hub import HfApi

    HfApi().model_info(model, timeout=_PROBE_SECONDS)
    return _snapshot(model, local=False)


def _not_found(model: str, known: str, tried: str) -> ModelNotFound:
    from huggingface_hub import constants

    return ModelNotFound(
        f"model {model!r} is neither {known}a folder nor in the Hugging Face cache at "
        f"{constants.HF_HUB_CACHE}, and it could not be fetched: "
        f"{tried.strip().partition(chr(10))[0]}. Name the path of a folder, or run "
        f"`hf download {model}` (`huggingface-cli download` in older versions) on a machine with "
        "network access."
    )


def check_safetensors(path: Path) -> None:
    """Refuse a truncated or invalid file by its header, without reading all of the file."""
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
            f"{path} is not a complete safetensors file: {error}. Download or save it again."
        ) from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    status = path.stat()
    return _sha256_of_state(path, (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=64)
def _sha256_of_state(path: Path, _state: tuple[int, int]) -> str:
    """Hash a file once per process and state (size and time of change); 90 MB take 0.1 CPU-s."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
