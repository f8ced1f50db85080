"""Prices, timeouts and retries of a profile."""

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import BaseModel, ConfigDict, Field

from moodswarm.llm.messages import Usage


class Settings(BaseModel):
    """Base of all settings in `profiles.yml`; errors never repeat a value: it may be a key."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), hide_input_in_errors=True
    )


class Price(Settings):
    """The price of a million tokens."""

    prompt_per_million: float = Field(ge=0, allow_inf_nan=False)
    completion_per_million: float = Field(ge=0, allow_inf_nan=False)
    currency: str = "USD"

    def cost(self, usage: Usage) -> float | None:
        """Return the cost of a call; None if the endpoint did not count its tokens."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        prompt = usage.prompt_tokens * self.prompt_per_million
        return (prompt + usage.completion_tokens * self.completion_per_million) / 1_000_000


class Timeouts(Settings):
    """How long one attempt may take, in seconds; waiting for a free place is not counted.

    Attributes:
        connect: Until the connection is open.
        total: Until an answer in one piece has arrived.
        first_token: Until the first piece of a stream has arrived.
        between_tokens: From one piece of a stream to the next.
    """

    connect: float = Field(default=5.0, gt=0)
    total: float = Field(default=120.0, gt=0)
    first_token: float = Field(default=60.0, gt=0)
    between_tokens: float = Field(default=30.0, gt=0)


class Retries(Settings):
    """How often a request is sent, and how long a client waits in between.

    Attributes:
        attempts: Maximum number of requests for one call; 1 means no retry.
        first_wait_seconds: Upper limit of the first random wait; it doubles with every attempt.
        longest_wait_seconds: The longest wait, whatever the endpoint asks for.
    """

    attempts: int = Field(default=5, ge=1, le=20)
    first_wait_seconds: float = Field(default=0.5, ge=0)
    longest_wait_seconds: float = Field(default=30.0, ge=0)

    def wait_seconds(
        self,
        attempts: int,
        retry_after: float | None = None,
        draw: Callable[[], float] = random.random,
    ) -> float:
        """Return how long to wait after this many attempts.

        The wait is a random part of an exponentially growing limit ("full jitter"), so that clients
        which failed at the same time do not come back at the same time. For the same reason, the
        random part is added to the time that the endpoint asked for.

        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        ceiling = min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** (attempts - 1))
        asked = 0.0 if retry_after is None else retry_after
        if retry_after is not None:
            ceiling = min(ceiling, self.first_wait_seconds)
        return min(self.longest_wait_seconds, asked + draw() * ceiling)


def retry_after_seconds(value: str | None, now: datetime | None = None) -> float | None:
    """Read a `Retry-After` header, which holds seconds or an HTTP date; None for anything else.

    Source: RFC 9110, section 10.2.3.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
