"""Score texts against a question with any sentence-transformers cross-encoder."""

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

# For this long after a failure, questions raise the same error without another attempt.
_RETRY_SECONDS = 60.0

_Result = TypeVar("_Result")


class ScoreNotFinite(ModelError):
    """The model computed NaN or infinity as a score; the message names the text."""


class Reranker:
    """A cross-encoder, loaded once for all threads when the first text is scored.

    A reranker is cheap to make and to send to another process: only its arguments are sent.

    A text that is too long to fit beside the question is scored in overlapping windows, and the
    best window counts (MaxP; Dai and Callan, 2019). So a passage at the end of a long text counts
    as much as one at its start; if the text were cut, the passage would be lost. A question is cut
    to half of the model's limit. The first long text and the first cut question are logged.

    Args:
        model: A name or path, as in `find_cross_encoder`.
        batch_size: Maximum number of pairs per forward pass.
        max_tokens: Maximum number of tokens in a pair, special tokens included; None for the
            model's own limit.
        device: `cpu`, `cuda`, `cuda:1`, ...; `auto` uses a GPU if there is one.

    Raises:
        ValueError: an argument is out of range; the message names it.
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
        # One question at a time: scoring uses all cores, and tokenizers are not thread-safe.
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
        """The name or path of the model, as configured."""
        return str(self._arguments["model"])

    @property
    def identity(self) -> str:
        """SHA-256 over weights, tokenizer and configuration; the model is not loaded for it.

        Raises:
            ModelError: the model cannot be found or read.
        """
        with self._lock:
            return self._found().identity

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        """Score texts against a question.

        Args:
            query: The question.
            texts: The texts; their order is kept.

        Returns:
            float32 [n_texts]; higher is better. It is the model's output before any activation,
            because a sigmoid would not change the order, but would make the best scores equal. A
            pair's score does not depend on the other texts (within about 1e-5).

        Raises:
            ScoreNotFinite: a score is NaN or infinity; the message names the text's index.
            ModelError: the model cannot be found or loaded, or it failed.
        """
        if not texts:
            return np.empty(0, np.float32)
        with self._lock:
            scores = self._load().score(query, texts)
        finite = np.isfinite(scores)
        if not finite.all():
            raise ScoreNotFinite(
                f"{self.name} returned NaN or infinity for text {int(np.argmin(finite))}. Check "
                "its weights, or choose another reranker."
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
