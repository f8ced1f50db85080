"""Model calls to put into a store."""

from datetime import UTC, datetime, timedelta
from typing import Any

from moodswarm.records.calls import CallRecord

NOON = datetime(2031, 1, 2, 12, 0, 0, 678000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def make(number: int = 0, **values: Any) -> CallRecord:
    """Build a call; it begins one second after the call with the number before its own."""
    defaults = {
        "id": f"{number:08d}",
        "at": NOON + number * SECOND,
        "profile": "local",
        "provider": "openai",
        "model": "small",
        "state": "answered",
    }
    return CallRecord(**{**defaults, **values})
