"""The tokenizer as the chunker sees it; `moodswarm.models.tokenizer` implements the protocol."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Encoding:
    """The tokens of one text, without special tokens and never truncated.

    Attributes:
        starts: int64 [n_tokens], offset in code points at which each token begins, in ascending
            order; two tokens may share an offset.
        ends: int64 [n_tokens], offset just past each token.
        unknown: How many tokens are not in the vocabulary.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    unknown: int

    def __len__(self) -> int:
        return len(self.starts)


class Tokenizer(Protocol):
    """Counts tokens exactly as the embedding model sees them."""

    @property
    def max_tokens(self) -> int:
        """The largest number of tokens that the model reads, special tokens included."""
        ...

    @property
    def special_tokens(self) -> int:
        """How many tokens the model adds to every text."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenize texts, in the given order."""
        ...
