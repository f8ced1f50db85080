"""What a store says of itself when it is reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What a smoke test shows of a store."""

    backend: str
    version: str
    location: str
    counts: Mapping[str, int] = field(default_factory=dict)
