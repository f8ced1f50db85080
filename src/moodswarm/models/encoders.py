"""The two ways to run a checkpoint: plain BERT in torch, or else sentence-transformers.

Nothing here imports torch or sentence-transformers before a model is loaded.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from moodswarm.models.checkpoint import Checkpoint
from moodswarm.models.errors import ModelUnreadable

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from moodswarm.models.bert import BertEncoder

# The fastest size measured on a CPU: a batch's activations and the weights both fit in its caches.
CPU_BATCH_TOKENS = 2_048
GPU_BATCH_TOKENS = 65_536

logger = logging.getLogger(__name__)


class Encoder(Protocol):
    """A loaded model."""

    def encode(self, texts: Sequence[str], ids: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """Return float32 [n_texts, dim], whose rows have unit L2 norm.

        Args:
            texts: At least one text.
            ids: The same texts as vocabulary ids, cut to the model's limit.
        """
        ...


def load_encoder(
    checkpoint: Checkpoint,
    *,
    precision: str,
    batch_tokens: int | None,
    threads: int | None,
    device: str,
) -> Encoder:
    """Load a model with the arguments of `Embedder`.

    Raises:
        ModelUnreadable: the checkpoint cannot be loaded; the message quotes the framework's error.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    place = torch.device(device)
    batch_tokens = batch_tokens or (CPU_BATCH_TOKENS if device == "cpu" else GPU_BATCH_TOKENS)
    if prompts := checkpoint.configuration.prompts:
        logger.warning(
            "%s has prompts, which are not used: %s", checkpoint.name, ", ".join(prompts)
        )
    weights = checkpoint.path / "model.safetensors"
    if not checkpoint.configuration.is_plain_bert or not weights.is_file():
        return SentenceTransformerEncoder(checkpoint, precision, batch_tokens, place)
    from moodswarm.models.bert import BertEncoder, has_fast_bfloat16

    fast = precision == "bfloat16" or (precision == "auto" and has_fast_bfloat16(place))
    model = BertEncoder(
        checkpoint.path,
        checkpoint.configuration.transformer,
        pooling=checkpoint.configuration.pooling or "mean",
        dtype=torch.bfloat16 if fast else torch.float32,
        device=place,
    )
    workers = 1 if place.type != "cpu" else threads or torch.get_num_threads()
    return BatchedEncoder(model, checkpoint.dimensions, batch_tokens, workers)


class BatchedEncoder:
    """Runs BERT on batches of texts of similar length, one batch per thread.

    Threads that share a multiplication spin while they wait for each other. With one batch per
    thread, two threads read 7 % more tokens per CPU-second, and even more on a busy machine.
    """

    def __init__(
        self, model: "BertEncoder", dimensions: int, batch_tokens: int, workers: int
    ) -> None:
        self._model, self._dimensions = model, dimensions
        self._batch_tokens, self._workers = batch_tokens, workers

    def encode(
        self,
        texts: Sequence[str],  # noqa: ARG002 - only the other encoder uses these
        ids: Sequence[Sequence[int]],
    ) -> npt.NDArray[np.float32]:
        """Embed token ids; see `Encoder.encode`."""
        import torch

        vectors = np.empty((len(ids), self._dimensions), np.float32)
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))

        def embed_rows(rows: npt.NDArray[np.int64]) -> None:
            vectors[rows] = self._model(*_pad([ids[row] for row in rows], lengths[rows])).numpy()

        threads = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(
                self._workers, "embed", initializer=torch.set_num_threads, initargs=(1,)
            ) as pool:
                for _ in pool.map(embed_rows, length_sorted_batches(lengths, self._batch_tokens)):
                    pass
        finally:
            # Threads that are started later would otherwise inherit a worker's setting.
            torch.set_num_threads(threads)
        return vectors


class SentenceTransformerEncoder:
    """Runs any checkpoint with sentence-transformers, which starts 8 to 13 CPU-seconds later."""

    def __init__(
        self, checkpoint: Checkpoint, precision: str, batch_tokens: int, device: "torch.device"
    ) -> None:
        for name in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
            os.environ.setdefault(name, "1")
        from sentence_transformers import SentenceTransformer

        dtype = "bfloat16" if precision == "bfloat16" else "float32"
        try:
            self._model = SentenceTransformer(
                str(checkpoint.path),
                device=str(device),
                local_files_only=True,
                model_kwargs={"dtype": dtype},
            )
        except Exception as error:  # the code of any model architecture may run here
            raise ModelUnreadable(
                f"{checkpoint.path} cannot be loaded by sentence-transformers: {error}. Save it "
                "again, or choose another model."
            ) from error
        self._model.max_seq_length = checkpoint.max_tokens
        self._batch_tokens = batch_tokens

    def encode(self, texts: Sequence[str], ids: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        """Embed texts; see `Encoder.encode`."""
        rows: npt.NDArray[np.float32] | None = None
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        for batch in length_sorted_batches(lengths, self._batch_tokens):
            vectors = self._model.encode(
                [texts[row] for row in batch],
                prompt="",  # A default prompt would change the vectors of all texts.
                batch_size=len(batch),
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_tensor=True,
            )
            if rows is None:
                rows = np.empty((len(ids), vectors.shape[1]), np.float32)
            rows[batch] = _normalized(vectors.float().cpu().numpy())
        assert rows is not None  # noqa: S101 - there is at least one text
        return rows


def length_sorted_batches(
    lengths: npt.NDArray[np.int64], batch_tokens: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Group texts of similar length, longest first, so that little time is spent on padding.

    Args:
        lengths: int64 [n_texts], the number of tokens of each text.
        batch_tokens: Maximum number of tokens in a batch, padding included; a longer text is a
            batch by itself.

    Yields:
        int64 [n_batch], indices of texts; every text occurs once.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, batch_tokens // max(1, int(lengths[order[start]])))
        yield order[start : start + size]
        start += size


def _pad(ids: Sequence[Sequence[int]], lengths: npt.NDArray[np.int64]) -> "tuple[Tensor, Tensor]":
    import torch

    padded = np.zeros((len(ids), int(lengths.max())), np.int64)
    for row, tokens in zip(padded, ids, strict=True):
        row[: len(tokens)] = tokens
    return torch.from_numpy(padded), torch.from_numpy(lengths)


def _normalized(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = vectors / np.maximum(norms, np.finfo(np.float32).tiny)
    return unit
