"""Question and text to one score, with any sentence-transformers cross-encoder."""

import time
from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from moodswarm.models.cross_encoder import LoadedCrossEncoder
from moodswarm.models.errors import ModelError
from moodswarm.models.reranker_files import CrossEncoderFiles, find_cross_encoder

Scores = npt.NDArray[np.float32]

# A model that is not there is not looked for again with every question.
_RETRY_SECONDS = 60.0

_Result = TypeVar("_Result")


class ScoreNotFinite(ModelError):
    """The model computed NaN or infinity; names the text."""


class Reranker:
    """A cross-encoder, loaded when the first text is scored, once for all threads.

    Making one is cheap, and so is sending one to another process: only the arguments travel.

    A text that is too long beside the question is scored in windows that overlap, and the best
    window counts (MaxP; Dai and Callan, 2019): a passage at the end of a long text is worth as
    much as one at its start, which cutting the text would throw away. A question is cut to half
    of what the model reads. Both are logged once.

    Args:
        model: What `find_cross_encoder` takes.
        batch_size: Most pairs per forward pass.
        max_tokens: Most tokens of a pair, special tokens included; None for all the model reads.
        device: `cpu`, `cuda`, `cuda:1`, ...; `auto` takes a GPU if there is one.

    Raises:
        ValueError: names an argument that is out of range.
    """

    def __init__(
        self,
        model: str,
        *,
        batch_size: int = 16,
        max_tokens: int | None = None,
        device: str = "auto",
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; expected at least 1")
        if max_tokens is not None and max_tokens < 1:
            raise ValueError(f"max_tokens is {max_tokens}; expected at least 1, or None")
        self._arguments: dict[str, Any] = {
            "model": model,
            "batch_size": batch_size,
            "max_tokens": max_tokens,
            "device": device,
        }
        # One question at a time: it uses all cores, and tokenizers are not safe to share.
        self._lock = RLock()
        self._files: CrossEncoderFiles | None = None
        self._loaded: LoadedCrossEncoder | None = None
        self._failure: ModelError | None = None
        self._failed_at = 0.0

    def __repr__(self) -> str:
        return f"Reranker({', '.join(f'{k}={v!r}' for k, v in self._arguments.items())})"

    def __getstate__(self) -> dict[str, Any]:
        return self._arguments

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @property
    def name(self) -> str:
        """What was asked for."""
        return str(self._arguments["model"])

    @property
    def identity(self) -> str:
        """SHA-256 over weights, tokenizer and configuration; loads nothing.

        Raises:
            ModelError: the model cannot be found or read.
        """
        with self._lock:
            return self._found().identity

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        """Score texts against a question.

        Args:
            query: The question.
            texts: Order is kept.

        Returns:
            float32 [n_texts], higher is better: the model's own output before any activation, as a
            sigmoid keeps its order and makes the best ones equal. The score of a pair does not
            depend on the other texts (to about 1e-5).

        Raises:
            ScoreNotFinite: names the index of the text.
            ModelError: the model cannot be found or loaded, or fails at it.
        """
        if not texts:
            return np.empty(0, np.float32)
        with self._lock:
            scores = self._load().score(query, texts)
        finite = np.isfinite(scores)
        if not finite.all():
            raise ScoreNotFinite(
                f"{self.name} gave NaN or infinity for text {int(np.argmin(finite))}; check its "
                "weights, or name another reranker"
            )
        return scores

    def _load(self) -> "LoadedCrossEncoder":
        if self._loaded is None:
            options = {k: v for k, v in self._arguments.items() if k != "model"}
            path = self._found().path
            self._loaded = self._remembering(lambda: LoadedCrossEncoder(path, **options))
        return self._loaded

    def _found(self) -> CrossEncoderFiles:
        if self._files is None:
            self._files = self._remembering(lambda: find_cross_encoder(self.name))
        return self._files

    def _remembering(self, attempt: Callable[[], _Result]) -> _Result:
        if self._failure and time.monotonic() < self._failed_at + _RETRY_SECONDS:
            raise type(self._failure)(str(self._failure)) from self._failure
        try:
            return attempt()
        except ModelError as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise
