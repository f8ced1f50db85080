"""What a provider must be able to do."""

from collections.abc import AsyncIterator
from typing import Protocol

from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta


class Provider(Protocol):
    """One way of reaching models; a thin adapter over a vendor's SDK, one request a call.

    Errors of the SDK become those of `moodswarm.llm.errors` or `Transient`; retries are the
    client's.
    """

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Answer in one piece."""
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        """Answer piece by piece; the last delta carries the whole response.

        An empty piece before that is a sign of life, such as of a model that thinks.
        """
        ...

    async def close(self) -> None:
        """Release connections; closing twice is fine."""
        ...


class Transient(Exception):
    """A failure that another try may not meet: 429, 5xx, a timeout, a lost connection.

    Attributes:
        status: HTTP status; None where there was no answer.
        retry_after: Seconds that the endpoint asks to wait, if it does.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
