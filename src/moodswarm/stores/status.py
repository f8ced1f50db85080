"""The answer of a store that can be reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Name, version and place of a store, and how much it holds; `moodswarm smoke` shows it."""

    backend: str
    version: str
    location: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return one line, as a notebook shows it."""
        counts = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"{self.backend} at {self.location}: {counts or 'empty'}"
