"""The protocol of a provider, and the failure after which the client retries."""

from collections.abc import AsyncIterator
from typing import Protocol

from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta


class Provider(Protocol):
    """One way of reaching models: a thin adapter over a vendor's SDK, with one request per call.

    A provider turns errors of the SDK into errors of `moodswarm.llm.errors` or into `Transient`.
    Retrying is left to the client.
    """

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Return the answer in one piece."""
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        """Yield the answer piece by piece; the last delta carries the whole response.

        An empty piece before that is a sign of life, for example from a model that is thinking.
        """
        ...

    async def close(self) -> None:
        """Release connections; closing twice is fine."""
        ...


class Transient(Exception):
    """A failure that another attempt may avoid: 429, 5xx, a timeout, a lost connection.

    Attributes:
        status: HTTP status; None if there was no answer.
        retry_after: Seconds that the endpoint asks the client to wait; None if it names no time.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
