"""The interface of a language model's client for tasks, retrieval and the service."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta


class Chat(Protocol):
    """The client that tasks, retrieval and the service expect; `ChatClient` is one."""

    @property
    def model(self) -> str:
        """The name of the model."""
        ...

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Return the answer in one piece, after network retries and with hooks.

        Raises:
            LlmError: see `moodswarm.llm.errors`; a cut-off answer is returned and is no error.
        """
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        """Yield the answer piece by piece; the last delta carries the whole response.

        Retries happen only before the first piece.
        """
        ...


@asynccontextmanager
async def closing(stream: AsyncIterator[Delta]) -> AsyncIterator[AsyncIterator[Delta]]:
    """Close a stream whose reader leaves before its end, so that nobody pays for the rest."""
    try:
        yield stream
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
