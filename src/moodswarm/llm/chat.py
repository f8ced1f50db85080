"""The client of a language model as tasks, retrieval and the service see it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta


class Chat(Protocol):
    """A client as tasks, retrieval and the service use it; `ChatClient` implements it."""

    @property
    def model(self) -> str:
        """The model that is asked."""
        ...

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Answer in one piece, after network retries, with hooks.

        Raises:
            LlmError: see `moodswarm.llm.errors`; a cut-off answer is returned, not raised.
        """
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        """Answer piece by piece; the last delta carries the whole response.

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
