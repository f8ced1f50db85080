"""A loaded cross-encoder, which scores pairs and reads long texts in windows.

Nothing here imports torch or sentence-transformers before a model is loaded.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moodswarm.models.errors import ModelError, ModelUnreadable

# The usual limit of cross-encoders, for models that state none.
_DEFAULT_MAX_TOKENS = 512
_NO_LIMIT = 1e9  # tokenizers without a limit report a number such as 1e30
_OVERLAP = 4  # a quarter of each window is also in the next one

_Span = tuple[int, int]

logger = logging.getLogger(__name__)


class LoadedCrossEncoder:
    """Scores pairs with a model in memory; only one thread at a time may use it.

    Args:
        path: Folder with safetensors. Weights in other formats are not loaded, and code in the
            checkpoint is never run.
        batch_size: Maximum number of pairs per forward pass.
        max_tokens: Maximum number of tokens in a pair, special tokens included; None for the
            model's own limit.
        device: Device to run on, as in `Reranker`.

    Raises:
        ModelUnreadable: the checkpoint cannot be loaded; the message quotes the framework's error.
        ValueError: `max_tokens` leaves no room for a pair beside the special tokens.
    """

    def __init__(self, path: Path, *, batch_size: int, max_tokens: int | None, device: str) -> None:
        import torch

        self._path, self._batch_size = path, batch_size
        self._model = _load(path, device)
        limit = _limit(self._model)
        self._limit = min(limit, max_tokens or limit)
        self._model.max_seq_length = self._limit
        self._prompt = self._model.prompts.get(self._model.default_prompt_name or "")
        special = self._model.preprocess([("", "")], prompt=self._prompt)["input_ids"]
        self._room = self._limit - special.numel()
        if self._room < 2:  # noqa: PLR2004 - one token of the question and one of the text
            raise ValueError(
                f"max_tokens is {max_tokens}, but {path} needs {special.numel()} special tokens "
                f"and one each for question and text. Use at least {special.numel() + 2}."
            )
        self._said: set[str] = set()
        # Read here rather than when scoring, because other models lower this setting while they
        # run.
        self._threads = torch.get_num_threads()
        self._workers = self._threads if self._model.device.type == "cpu" else 1

    def score(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Score one or more texts; see `Reranker.score`.

        Raises:
            ModelError: the model failed; the message quotes the framework's error.
        """
        query, used = self._cut(query)
        windows = [self._windows(text, self._room - used) for text in texts]
        pairs = [(query, window) for some in windows for window in some]
        firsts = np.cumsum([0, *map(len, windows[:-1])])
        try:
            scores = self._predict(pairs)
        except Exception as error:  # the code of any model architecture may run here
            raise ModelError(
                f"{self._path} failed to score {len(pairs)} pairs: {error}. If memory is short, "
                "lower the batch size or use another device; otherwise choose another reranker."
            ) from error
        best: npt.NDArray[np.float32] = np.maximum.reduceat(scores, firsts)
        return best

    def _predict(self, pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float32]:
        """Score pairs in batches of similar length, one batch per thread.

        Threads that share a multiplication spin while they wait for each other. On two busy cores,
        one batch per thread scored 15.6 pairs of 200 tokens per CPU-second, against 9 for
        `CrossEncoder.predict`.
        """
        import torch
        from sentence_transformers.util import batch_to_device

        order = np.argsort([-len(text) for _, text in pairs], kind="stable")
        size = min(self._batch_size, -(-len(pairs) // self._workers))
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        # Texts are tokenized here and not in the threads, because tokenizers are not thread-safe.
        inputs = [
            self._model.preprocess([pairs[row] for row in batch], prompt=self._prompt)
            for batch in batches
        ]
        scores = np.empty(len(pairs), np.float32)

        def score_rows(rows: npt.NDArray[np.int64], features: dict[str, Any]) -> None:
            with torch.inference_mode():
                found = self._model(batch_to_device(features, self._model.device))["scores"]
            scores[rows] = found.float().reshape(-1).cpu().numpy()

        if len(batches) == 1:
            score_rows(batches[0], inputs[0])
            return scores
        try:
            with ThreadPoolExecutor(
                self._workers, "rerank", initializer=_share_cores, initargs=(self._workers,)
            ) as pool:
                for _ in pool.map(score_rows, batches, inputs):
                    pass
        finally:
            # Threads that are started later would otherwise inherit a worker's setting.
            torch.set_num_threads(self._threads)
        return scores

    def _cut(self, query: str) -> tuple[str, int]:
        """Return the question, cut if it is too long, and its number of tokens."""
        spans = self._spans(query)
        most = max(1, self._room // 2)
        if len(spans) <= most:
            return query, len(spans)
        self._say(f"a question has {len(spans)} tokens; only the first {most} are read")
        return query[: spans[most - 1][1]], most

    def _windows(self, text: str, room: int) -> list[str]:
        spans = self._spans(text)
        if len(spans) <= room:
            return [text]
        self._say(
            f"a text has {len(spans)} tokens, but only {room} fit beside the question; it is "
            "scored in windows, and the best score counts"
        )
        return [text[spans[a][0] : spans[b - 1][1]] for a, b in _cuts(len(spans), room)]

    def _spans(self, text: str) -> list[_Span]:
        """Return where each token begins and ends in the text."""
        tokenizer = self._model.tokenizer
        encoded = tokenizer(
            text,
            add_special_tokens=False,
            truncation=False,
            return_offsets_mapping=True,
            verbose=False,
        )
        spans: list[_Span] = encoded["offset_mapping"]
        return spans

    def _say(self, message: str) -> None:
        kind = message[:7]
        if kind not in self._said:
            self._said.add(kind)
            logger.warning("%s reads %d tokens: %s", self._path, self._limit, message)


def _cuts(tokens: int, room: int) -> Iterator[_Span]:
    """Yield evenly spread windows of `room` tokens that together cover all tokens."""
    step = max(1, room - room // _OVERLAP)
    windows = -(-(tokens - room) // step) + 1
    for start in np.linspace(0, tokens - room, windows).round().astype(int).tolist():
        yield start, start + room


def _load(path: Path, device: str) -> Any:
    for name in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ.setdefault(name, "1")
    import torch
    from sentence_transformers import CrossEncoder

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = CrossEncoder(
            str(path),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            # Passed so that a function that the checkpoint names is never called.
            activation_fn=torch.nn.Identity(),
            # In half precision, a score would depend on the padding in its batch.
            model_kwargs={"dtype": "float32", "use_safetensors": True},
        )
    except Exception as error:  # the code of any model architecture may run here
        raise ModelUnreadable(
            f"{path} cannot be loaded by sentence-transformers: {error}. Save it again, or choose "
            "another model."
        ) from error
    if model.num_labels != 1:
        raise ModelUnreadable(
            f"{path} returns {model.num_labels} labels for a pair, as a classifier does. "
            "Choose a cross-encoder with one score."
        )
    if not getattr(model.tokenizer, "is_fast", False):
        raise ModelUnreadable(
            f"{path} has no fast tokenizer. Save it again with tokenizer.json, or download it."
        )
    model.eval()
    return model


def _limit(model: Any) -> int:
    config = model.config
    known = (model.max_seq_length, getattr(config, "max_position_embeddings", None))
    limits = [int(limit) for limit in known if limit and 0 < limit < _NO_LIMIT]
    return min(limits, default=_DEFAULT_MAX_TOKENS)


def _share_cores(workers: int) -> None:
    import torch

    if workers > 1:
        torch.set_num_threads(1)
