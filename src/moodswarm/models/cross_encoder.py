"""A loaded cross-encoder: pairs to scores, long texts in windows.

Imports neither torch nor sentence-transformers before a model is loaded.
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

# For models that name no limit; the usual one of cross-encoders.
_DEFAULT_MAX_TOKENS = 512
_NO_LIMIT = 1e9  # tokenizers without a limit say so with a number like 1e30
_OVERLAP = 4  # a quarter of each window is also in the next

_Span = tuple[int, int]

logger = logging.getLogger(__name__)


class LoadedCrossEncoder:
    """Scores with a model in memory; for one thread at a time.

    Args:
        path: Folder with safetensors; other weights, and code of the checkpoint, are never run.
        batch_size: Most pairs per forward pass.
        max_tokens: Most tokens of a pair, special tokens included; None for all the model reads.
        device: As `Reranker` takes it.

    Raises:
        ModelUnreadable: names the checkpoint and what its framework said.
        ValueError: `max_tokens` leaves no room beside the special tokens.
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
        if self._room < 2:  # noqa: PLR2004 - a token of each side
            raise ValueError(
                f"max_tokens is {max_tokens}; {path} needs {special.numel()} special tokens and "
                f"one for each of question and text: expected at least {special.numel() + 2}"
            )
        self._said: set[str] = set()
        # Asked now: while other models run, a thread may be told to use one core.
        self._threads = torch.get_num_threads()
        self._workers = self._threads if self._model.device.type == "cpu" else 1

    def score(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Score texts, at least one; see `Reranker.score`.

        Raises:
            ModelError: the model fails at it; says what its framework said.
        """
        query, used = self._cut(query)
        windows = [self._windows(text, self._room - used) for text in texts]
        pairs = [(query, window) for some in windows for window in some]
        firsts = np.cumsum([0, *map(len, windows[:-1])])
        try:
            scores = self._predict(pairs)
        except Exception as error:  # any code of any checkpoint may run here
            raise ModelError(
                f"{self._path} failed to score {len(pairs)} pairs: {error}; where memory is short, "
                "lower the batch size or take another device, else name another reranker"
            ) from error
        best: npt.NDArray[np.float32] = np.maximum.reduceat(scores, firsts)
        return best

    def _predict(self, pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float32]:
        """Score pairs, those of like length together, a batch per thread.

        Threads that share one multiplication wait for each other by spinning: on two cores that
        others used as well, one batch each scored 15.6 pairs of 200 tokens per CPU-second, and
        `CrossEncoder.predict` 9.
        """
        import torch
        from sentence_transformers.util import batch_to_device

        order = np.argsort([-len(text) for _, text in pairs], kind="stable")
        size = min(self._batch_size, -(-len(pairs) // self._workers))
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        # Here and not in the threads: tokenizers are not safe to share.
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
            # What a worker sets for itself is also what threads started later begin with.
            torch.set_num_threads(self._threads)
        return scores

    def _cut(self, query: str) -> tuple[str, int]:
        """Return the question as far as it fits, and its number of tokens."""
        spans = self._spans(query)
        most = max(1, self._room // 2)
        if len(spans) <= most:
            return query, len(spans)
        self._say(f"a question has {len(spans)} tokens; only its first {most} are read")
        return query[: spans[most - 1][1]], most

    def _windows(self, text: str, room: int) -> list[str]:
        spans = self._spans(text)
        if len(spans) <= room:
            return [text]
        self._say(
            f"a text has {len(spans)} tokens and {room} fit beside the question; it is scored in "
            "windows, of which the best counts"
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
    """Give windows of `room` tokens that cover all, evenly spread."""
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
            # Named here, so that no function that the checkpoint names is called.
            activation_fn=torch.nn.Identity(),
            # In half precision a score would depend on the padding of its batch.
            model_kwargs={"dtype": "float32", "use_safetensors": True},
        )
    except Exception as error:  # any code of any checkpoint may run here
        raise ModelUnreadable(
            f"{path} cannot be loaded by sentence-transformers: {error}"
        ) from error
    if model.num_labels != 1:
        raise ModelUnreadable(
            f"{path} gives {model.num_labels} labels for a pair, such as those of a classifier; "
            "expected a cross-encoder with one score"
        )
    if not getattr(model.tokenizer, "is_fast", False):
        raise ModelUnreadable(
            f"{path} has no fast tokenizer; save it again with tokenizer.json, or download it"
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
