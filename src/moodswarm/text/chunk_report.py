"""Chunk lengths, chunks too long for the model, and the text that no chunk covers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import Any


@dataclass(frozen=True, slots=True)
class Distribution:
    """Five numbers that summarise one quantity over all chunks."""

    minimum: int
    median: int
    mean: float
    p95: int
    maximum: int

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> "Distribution":
        """Summarise values, given how often each occurs; at least one value is needed."""
        values = sorted(counts)
        below = list(accumulate(counts[value] for value in values))
        total = below[-1]

        def quantile(share: float) -> int:
            return next(v for v, n in zip(values, below, strict=True) if n >= share * total)

        mean = sum(value * count for value, count in counts.items()) / total
        return cls(values[0], quantile(0.5), round(mean, 1), quantile(0.95), values[-1])


@dataclass(slots=True)
class ChunkStatistics:
    """Counts that take memory for each different length, not for each chunk.

    Attributes:
        limit: The most tokens that the model reads of a chunk, special tokens included.
    """

    limit: int
    tokens: Counter[int] = field(default_factory=Counter)
    characters: Counter[int] = field(default_factory=Counter)
    unknown_tokens: int = 0

    def add(self, tokens: Iterable[int], characters: Iterable[int], unknown: Iterable[int]) -> None:
        """Add chunks, given the tokens, characters and unknown tokens of each."""
        self.tokens.update(tokens)
        self.characters.update(characters)
        self.unknown_tokens += sum(unknown)

    @property
    def chunks(self) -> int:
        """The number of chunks that were counted."""
        return self.tokens.total()

    @property
    def over_limit(self) -> int:
        """The number of chunks that the model would truncate."""
        return sum(count for tokens, count in self.tokens.items() if tokens > self.limit)

    @property
    def passed(self) -> bool:
        """Tell whether no chunk is over the limit."""
        return self.over_limit == 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-like data."""
        return {
            "chunks": self.chunks,
            "limit": self.limit,
            "over_limit": self.over_limit,
            "passed": self.passed,
            "unknown_tokens": self.unknown_tokens,
            "tokens": asdict(Distribution.of(self.tokens)) if self.chunks else None,
            "characters": asdict(Distribution.of(self.characters)) if self.chunks else None,
        }


def uncovered_characters(text: str, spans: Sequence[tuple[int, int]]) -> int:
    """Count the characters of a text, white space aside, that are in no span.

    Args:
        text: A cleaned text.
        spans: (start, end) of its chunks, ordered by start.
    """
    missed = reached = 0
    for start, end in spans:
        missed += visible_characters(text[reached:start])
        reached = max(reached, end)
    return missed + visible_characters(text[reached:])


def visible_characters(text: str) -> int:
    """Count the characters that are not white space."""
    return sum(map(len, text.split()))
