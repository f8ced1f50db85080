"""Turn texts into vectors with any sentence-transformers checkpoint."""

import logging
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from moodswarm.models.checkpoint import PACKAGED, Checkpoint, find_checkpoint
from moodswarm.models.encoders import Encoder, load_encoder
from moodswarm.models.errors import ChunkTooLong, EmbeddingNotFinite
from moodswarm.models.tokenizer import FastTokenizer

Precision = Literal["auto", "float32", "bfloat16"]
Vectors = npt.NDArray[np.float32]

logger = logging.getLogger(__name__)


class Embedder:
    """An embedding model, loaded when the first text is embedded.

    An embedder is cheap to make and to send to another process: only its arguments are sent.

    Args:
        model: A name or path, as in `find_checkpoint`.
        precision: `float32`, `bfloat16` or `auto`, which means bfloat16 if the processor is faster
            with it and the model is plain BERT (mean cosine of .99995 with float32), else float32.
        batch_tokens: Maximum number of tokens per forward pass, padding included; a longer text is
            a batch by itself. None for the best number for the device (2,048 on a CPU).
        threads: CPU threads, each with a batch of its own; None for as many as torch would use.
        device: `cpu`, `cuda`, `cuda:1`, ...; `auto` uses a GPU if there is one.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """

    def __init__(
        self,
        model: str = PACKAGED,
        *,
        precision: Precision = "auto",
        batch_tokens: int | None = None,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        if precision not in get_args(Precision):
            raise ValueError(f"precision is {precision!r}; expected one of {get_args(Precision)}")
        for name, value in (("batch_tokens", batch_tokens), ("threads", threads)):
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; expected at least 1, or None")
        self._arguments: dict[str, Any] = {
            "model": model,
            "precision": precision,
            "batch_tokens": batch_tokens,
            "threads": threads,
            "device": device,
        }
        self._encoder: Encoder | None = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Embedder({', '.join(f'{k}={v!r}' for k, v in self._arguments.items())})"

    def __getstate__(self) -> dict[str, Any]:
        return self._arguments

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The files that the model is loaded from."""
        return find_checkpoint(self._arguments["model"])

    @property
    def identity(self) -> str:
        """SHA-256 over weights, tokenizer and configuration."""
        return self.checkpoint.identity

    @property
    def dimensions(self) -> int:
        """Size of a vector."""
        return self.checkpoint.dimensions

    @cached_property
    def tokenizer(self) -> FastTokenizer:
        """The model's own tokenizer."""
        return FastTokenizer(self.checkpoint.tokenizer_file, self.checkpoint.max_tokens)

    def embed(self, texts: Sequence[str], *, truncate: bool = False) -> Vectors:
        """Embed texts.

        Args:
            texts: Texts of at most `checkpoint.max_tokens` tokens each; their order is kept.
            truncate: Cut texts that are over the limit, with a warning in the log.

        Returns:
            float32 [n_texts, dim]; rows have unit L2 norm.

        Raises:
            ChunkTooLong: a text is over the limit; the message names its index and token count.
            EmbeddingNotFinite: a vector contains NaN or infinity; the message names its index.
            ModelError: the model cannot be found or loaded.
        """
        ids = self.tokenizer.ids(texts)
        limit = self.checkpoint.max_tokens
        for index, tokens in enumerate(map(len, ids)):
            if tokens > limit and not truncate:
                raise ChunkTooLong(index, tokens, limit)
            if tokens > limit:
                logger.warning("text %d has %d tokens; only %d are read", index, tokens, limit)
                ids[index] = self.tokenizer.ids([texts[index]], truncate=True)[0]
        if not ids:
            return np.empty((0, self.dimensions), np.float32)
        vectors = self._load().encode(texts, ids)
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            raise EmbeddingNotFinite(
                f"{self._arguments['model']} returned NaN or infinity for text "
                f"{int(np.argmin(finite))}. Try precision='float32', or check its weights."
            )
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """Embed one text, cut to the model's limit.

        Returns:
            float32 [dim] with unit L2 norm.
        """
        vector: Vectors = self.embed([text], truncate=True)[0]
        return vector

    def _load(self) -> Encoder:
        with self._lock:  # Threads that start at the same time must not load the model twice.
            if self._encoder is None:
                options = {k: v for k, v in self._arguments.items() if k != "model"}
                self._encoder = load_encoder(self.checkpoint, **options)
            return self._encoder


def embed_batch(table: pa.Table, embedder: Embedder) -> pa.Table:
    """Embed a batch of chunks.

    Args:
        table: The chunks, with the schema `CHUNK_SCHEMA`.
        embedder: The model that the chunks were cut for.

    Returns:
        The table with an added column `vector`: fixed-size lists of float32 [dim] with unit L2
        norm.

    Raises:
        ChunkTooLong: a chunk is over the limit; the message names its id and its token count.
    """
    texts: list[Any] = table["text"].to_pylist()
    try:
        vectors = embedder.embed(texts)
    except ChunkTooLong as error:
        name = f"chunk {table['id'][error.index]}"
        raise ChunkTooLong(error.index, error.tokens, error.limit, name) from error
    # Arrow uses numpy's memory without a copy; a list per row would copy every number.
    flat: Any = pa.array(vectors.reshape(-1))
    column = pa.FixedSizeListArray.from_arrays(flat, embedder.dimensions)
    return table.append_column(pa.field("vector", column.type, nullable=False), column)
