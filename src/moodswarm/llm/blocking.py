"""A client for callers in ordinary threads, with one event loop in the background."""

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import CancelledError as Cancelled
from types import AsyncGeneratorType, TracebackType
from typing import Any, Self, TypeVar

from moodswarm.llm.client import ChatClient
from moodswarm.llm.errors import EndpointDown
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta

T = TypeVar("T")

_CLOSE_SECONDS = 15.0


class BlockingChat:
    """Calls a `ChatClient` from any thread; many threads may share one `BlockingChat`.

    The loop runs in a daemon thread, so that a call which hangs cannot keep the interpreter from
    ending. When the interpreter ends, the hooks still write out what they hold.

    Args:
        client: A client that is not used on another event loop; it is closed with this object.
    """

    def __init__(self, client: ChatClient) -> None:
        self.client = client
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm", daemon=True)
        self._thread.start()
        self._streams: set[AsyncGenerator[Delta, None]] = set()
        self._close = weakref.finalize(
            self, _shut_down, self._loop, self._thread, client, self._streams
        )

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.client.model

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop running calls and close the client; closing twice is fine."""
        self._close()

    def chat(self, request: ChatRequest, timeout_seconds: float | None = None) -> ChatResponse:
        """Return the answer in one piece.

        Args:
            request: The request to send.
            timeout_seconds: Limit for all attempts together; None for only the profile's limit per
                attempt.

        Raises:
            LlmError: as in `ChatClient.chat`; `EndpointDown` after `timeout_seconds`.
        """
        return self._wait(lambda: self.client.chat(request), timeout_seconds)

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the answer piece by piece; closing the iterator stops the model."""
        deltas = self.client.stream(request)
        self._streams.add(deltas)
        try:
            while (delta := self._wait(lambda: anext(deltas, None))) is not None:
                yield delta
        finally:
            if self._close.alive:
                self._wait(lambda: _leave(deltas))
                self._streams.discard(deltas)

    def run(
        self,
        async_function: Callable[..., Awaitable[T]],
        *args: Any,
        timeout_seconds: float | None = None,
    ) -> T:
        """Run an async function, such as a task with this client, and wait for its result.

        Raises:
            EndpointDown: the function was stopped after `timeout_seconds`.
        """
        return self._wait(lambda: async_function(*args), timeout_seconds)

    def _wait(self, begin: Callable[[], Awaitable[T]], timeout_seconds: float | None = None) -> T:
        if not self._close.alive or threading.current_thread() is self._thread:
            where = "from its own event loop" if self._close.alive else "after it was closed"
            raise RuntimeError(f"BlockingChat was used {where}")
        if not self._thread.is_alive():
            raise RuntimeError(
                "BlockingChat was opened before a fork. Open another in each child process"
            )
        work = _within(begin, timeout_seconds, self.client)
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except Cancelled:
            raise EndpointDown(f"{self.client!r} was closed before its answer came") from None
        except BaseException:
            # Ctrl-C interrupted only the waiting thread, so the call has to be cancelled as well.
            future.cancel()
            raise


async def _within(
    begin: Callable[[], Awaitable[T]], seconds: float | None, client: ChatClient
) -> T:
    try:
        async with asyncio.timeout(seconds) as limit:
            return await begin()
    except TimeoutError:
        if not limit.expired():
            raise
        where = client.options.address or client.options.provider
        raise EndpointDown(f"{where}: no answer within {seconds:g} s") from None


async def _leave(deltas: AsyncGenerator[Delta, None]) -> None:
    while isinstance(deltas, AsyncGeneratorType) and deltas.ag_running:
        # After Ctrl-C, the piece that the reader waited for is still being cancelled.
        await asyncio.sleep(0.001)
    await deltas.aclose()


def _shut_down(
    loop: asyncio.AbstractEventLoop,
    thread: threading.Thread,
    client: ChatClient,
    streams: set[AsyncGenerator[Delta, None]],
) -> None:
    """Stop a loop within `_CLOSE_SECONDS`; also called when the interpreter ends."""
    if not thread.is_alive():
        return  # This is a forked child, and the loop belongs to its parent.
    asyncio.run_coroutine_threadsafe(_finish(client, streams), loop).add_done_callback(
        lambda _: loop.call_soon_threadsafe(loop.stop)
    )
    thread.join(_CLOSE_SECONDS)
    if not thread.is_alive():
        loop.close()


async def _finish(client: ChatClient, streams: set[AsyncGenerator[Delta, None]]) -> None:
    current = asyncio.current_task()
    running = [task for task in asyncio.all_tasks() if task is not current]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    # Streams are closed from the outside in. `shutdown_asyncgens` closes all generators at the
    # same time, and nested ones would get in each other's way.
    await asyncio.gather(*(deltas.aclose() for deltas in [*streams]), return_exceptions=True)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await client.close()
    await loop.shutdown_default_executor()
