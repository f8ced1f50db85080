"""What the chunker needs of a model's tokenizer; `moodswarm.models.tokenizer` implements it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Encoding:
    """The tokens of one text, without special tokens and never truncated.

    Attributes:
        starts: int64 [n_tokens], offset in code points where each token begins; not decreasing.
        ends: int64 [n_tokens], offset just past each token.
        unknown: How many tokens the vocabulary does not know.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    unknown: int

    def __len__(self) -> int:
        return len(self.starts)


class Tokenizer(Protocol):
    """Counts tokens exactly as the embedding model will see them."""

    @property
    def max_tokens(self) -> int:
        """Most tokens that the model reads of a text, special tokens included."""
        ...

    @property
    def special_tokens(self) -> int:
        """How many tokens the model adds to every text."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenize texts; order is kept."""
        ...
