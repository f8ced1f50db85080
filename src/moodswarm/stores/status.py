"""What a store that can be reached reports about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Name, version and location of a store and how much it holds, as `moodswarm smoke` shows."""

    backend: str
    version: str
    location: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return one line, as a notebook shows it."""
        counts = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"{self.backend} at {self.location}: {counts or 'empty'}"
