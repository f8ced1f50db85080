"""A real `Tokenizer` for tests, built directly on the `tokenizers` library."""

from collections.abc import Sequence

import numpy as np
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from moodswarm.records.tokens import Encoding


class FileTokenizer:
    """Implements the `Tokenizer` protocol with the `tokenizers` library."""

    def __init__(
        self, tokenizer: Tokenizer, max_tokens: int, special_tokens: int, unknown: str
    ) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self._unknown = tokenizer.token_to_id(unknown)
        self.max_tokens = max_tokens
        self.special_tokens = special_tokens

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        return [
            _encoding(found.offsets, found.ids.count(self._unknown))
            for found in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]


def _encoding(offsets: list[tuple[int, int]], unknown: int) -> Encoding:
    pairs = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    return Encoding(pairs[:, 0], pairs[:, 1], unknown)


def pattern_tokenizer(pattern: str) -> Tokenizer:
    """Return a tokenizer for which every match of the pattern is an unknown token."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split(Regex(pattern), behavior="isolated")
    return tokenizer
