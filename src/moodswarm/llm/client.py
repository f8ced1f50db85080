"""The client for every provider: defaults, concurrency, timeouts, retries, cost and hooks."""

import asyncio
import dataclasses
import logging
import random
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from moodswarm.llm.addresses import is_local
from moodswarm.llm.chat import closing
from moodswarm.llm.errors import EndpointDown, EndpointOverloaded, LlmError, RequestRefused
from moodswarm.llm.hooks.chain import HookChain
from moodswarm.llm.hooks.hook import Call, Hook
from moodswarm.llm.limits import Price, Retries, Timeouts
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Message, encodable
from moodswarm.llm.providers.provider import Provider, Transient
from moodswarm.llm.redaction import Redactor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """The settings of a profile, apart from its provider and hooks.

    Attributes:
        profile: Name of the profile.
        provider: Name of the provider, such as `openai`.
        address: Address of the endpoint, without credentials; empty if there is no endpoint.
        concurrency: Maximum number of requests in flight; a stream counts until it ends.
    """

    model: str
    profile: str = "default"
    provider: str = "fake"
    address: str = ""
    price: Price | None = None
    concurrency: int = 4
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(slots=True)
class _Running:
    """A call, the hooks that wait for its end, and the time of its first request."""

    call: Call
    hooks: list[Hook] = field(default_factory=list)
    started: float | None = None

    def milliseconds(self) -> float:
        return 0.0 if self.started is None else (time.perf_counter() - self.started) * 1_000


class _Late(Transient):
    """The answer did not come in time; the endpoint may well be running."""


class ChatClient:
    """Sends requests to one model; see `moodswarm.llm.chat.Chat`.

    A client belongs to the event loop of its first call, because its connections do. Code in other
    threads and on other loops uses `moodswarm.llm.blocking.BlockingChat`.

    Args:
        provider: Sends the requests; closed with the client.
        hooks: Hooks in the order in which they run before a call; closed with the client.
        redact: Removes keys from errors.
        sleep: Waits between attempts.
        draw: Returns random numbers in [0, 1), for the length of the waits.
    """

    def __init__(
        self,
        provider: Provider,
        options: ClientOptions,
        hooks: Sequence[Hook] = (),
        *,
        redact: Redactor | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        if options.concurrency < 1:
            raise ValueError(f"concurrency is {options.concurrency}; expected at least 1")
        self.options = options
        self._provider = provider
        self._hooks = HookChain(hooks, redact or Redactor())
        self._sleep, self._draw = sleep, draw
        self._places = asyncio.Semaphore(options.concurrency)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def __repr__(self) -> str:
        options = self.options
        return f"ChatClient(profile={options.profile!r}, model={options.model!r})"

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.options.model

    @property
    def hooks(self) -> tuple[str, ...]:
        """Names of the hooks, in order."""
        return self._hooks.names

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections and write out what hooks hold; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        try:
            # When a loop is closed, its connections are gone as well.
            if self._loop is None or not self._loop.is_closed():
                await self._provider.close()
        finally:
            # Closing a hook can wait for a store or an endpoint, which must not block the loop.
            try:
                await asyncio.to_thread(self._hooks.close)
            except RuntimeError:
                # The interpreter is ending and starts no more threads.
                self._hooks.close()

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Return the answer in one piece, after network retries and with hooks.

        Raises:
            LlmError: see `moodswarm.llm.errors`; a cut-off answer is returned and is no error.
            RuntimeError: the client is closed, or belongs to another event loop.
        """
        running = self._begin(request)
        try:
            self._hooks.before(running.call, running.hooks)
            response = running.call.response = await self._answer(running)
        except BaseException as error:
            self._fail(running, error)
            raise
        if refusal := self._end(running):
            raise refusal
        return response

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Yield the answer piece by piece; the last delta carries the whole response.

        Retries happen only before the first piece. If the reader leaves early, the model is
        stopped: immediately with `contextlib.aclosing`, otherwise when the generator is
        garbage-collected.

        Raises:
            LlmError: as in `chat`; `GuardRefused` may come in place of the last delta.
            RuntimeError: the client is closed, or belongs to another event loop.
        """
        running = self._begin(request)
        last: Delta | None = None
        try:
            self._hooks.before(running.call, running.hooks)
            async with closing(self._pieces(running)) as deltas:
                async for delta in deltas:
                    if delta.response is None:
                        yield dataclasses.replace(delta, text=encodable(delta.text))
                    else:
                        last = delta
            assert last is not None and last.response is not None  # noqa: S101, PT018
            response = running.call.response = self._completed(running, last.response)
        except BaseException as error:
            self._fail(running, error)
            raise
        # The hooks run before the last piece is handed out, because a reader rarely asks for more
        # after it, and code behind the last `yield` might never run.
        if refusal := self._end(running):
            raise refusal
        yield Delta(encodable(last.text), response)

    def _begin(self, request: ChatRequest) -> _Running:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise RuntimeError(f"{self!r} is closed. Open another")
        if self._loop is None:
            self._loop = loop
        if self._loop is not loop:
            raise RuntimeError(
                f"{self!r} belongs to another event loop. Open one client per loop, or share one "
                "through BlockingChat"
            )
        options = self.options
        return _Running(
            Call(
                id=str(uuid.uuid4()),
                at=datetime.now(UTC),
                profile=options.profile,
                provider=options.provider,
                model=options.model,
                currency=options.price.currency if options.price else "USD",
                request=_with_defaults(request, options),
            )
        )

    def _fail(self, running: _Running, error: BaseException) -> None:
        running.call.error = error
        running.call.stopped = isinstance(error, GeneratorExit | asyncio.CancelledError)
        self._end(running)

    def _end(self, running: _Running) -> LlmError | None:
        running.call.milliseconds = running.milliseconds()
        return self._hooks.after(running.call, running.hooks)

    async def _answer(self, running: _Running) -> ChatResponse:
        timeouts = self.options.timeouts
        while True:
            try:
                async with self._place(running), asyncio.timeout(timeouts.total):
                    response = await self._provider.chat(running.call.request)
                return self._completed(running, response)
            except Transient as error:
                failure = error
            except TimeoutError:
                failure = self._late(timeouts.total, "no answer")
            await self._wait(running.call, failure)

    async def _pieces(self, running: _Running) -> AsyncGenerator[Delta, None]:
        call = running.call
        while True:
            try:
                async with self._place(running), closing(self._on_time(running)) as deltas:
                    async for delta in deltas:
                        yield delta
                return
            except Transient as error:
                failure = error
            if call.first_token_milliseconds is not None:
                # The reader has already seen a part, so the answer cannot begin again.
                raise EndpointDown(f"the answer broke off: {failure}") from None
            await self._wait(call, failure)

    async def _on_time(self, running: _Running) -> AsyncGenerator[Delta, None]:
        """Make one attempt at a stream; every piece has to come in time."""
        timeouts, call = self.options.timeouts, running.call
        limit, what = timeouts.first_token, "no first token"
        async with closing(self._provider.stream(call.request)) as deltas:
            while True:
                try:
                    async with asyncio.timeout(limit):
                        delta = await anext(deltas)
                except TimeoutError:
                    raise self._late(limit, what) from None
                except StopAsyncIteration:
                    raise Transient(f"{self._where()}: the stream ended too early") from None
                if not delta.text and delta.response is None:
                    continue  # The model is thinking: an empty piece is a sign of life.
                if call.first_token_milliseconds is None:
                    call.first_token_milliseconds = running.milliseconds()
                yield delta
                if delta.response is not None:
                    return
                limit, what = timeouts.between_tokens, "no further token"

    @asynccontextmanager
    async def _place(self, running: _Running) -> AsyncIterator[None]:
        """Hold one of the `concurrency` places while a request is in flight."""
        async with self._places:
            running.call.attempts += 1
            if running.started is None:
                running.started = time.perf_counter()
            yield

    def _completed(self, running: _Running, response: ChatResponse) -> ChatResponse:
        price = self.options.price
        return dataclasses.replace(
            response,
            text=encodable(response.text),
            model=response.model or self.options.model,
            attempts=running.call.attempts,
            cost=price.cost(response.usage) if price else None,
        )

    async def _wait(self, call: Call, failure: Transient) -> None:
        retries = self.options.retries
        if self._closed:
            raise EndpointDown(f"{self!r} was closed before its answer came") from None
        if call.attempts >= retries.attempts:
            raise self._given_up(call, failure) from None
        seconds = retries.wait_seconds(call.attempts, failure.retry_after, self._draw)
        logger.debug("llm %s: %s; again in %.2f s", call.id[:8], failure, seconds)
        await self._sleep(seconds)

    def _given_up(self, call: Call, failure: Transient) -> LlmError:
        tried = f"{failure}; tried {call.attempts} times" if call.attempts > 1 else str(failure)
        profile = f"profile {self.options.profile!r}"
        if failure.status is not None:
            return EndpointOverloaded(
                f"{tried}. Try again later, or lower `concurrency` in {profile}"
            )
        if isinstance(failure, _Late):
            return EndpointDown(
                f"{tried}. Raise `timeout_seconds` or lower `concurrency` in {profile}"
            )
        if is_local(self.options.address):
            return EndpointDown(
                f"{tried}. Start the server that {profile} names, such as `llama-server -m "
                "model.gguf --port 8080`, or choose another profile (MOODSWARM_LLM_PROFILE)"
            )
        return EndpointDown(f"{tried}. Check `base_url` and `timeout_seconds` in {profile}")

    def _late(self, seconds: float, what: str) -> Transient:
        return _Late(f"{self._where()}: {what} within {seconds:g} s")

    def _where(self) -> str:
        return self.options.address or self.options.provider


def _with_defaults(request: ChatRequest, options: ClientOptions) -> ChatRequest:
    if not request.messages:
        raise RequestRefused("the request has no message. Send at least one")
    if any(message.role == "system" for message in request.messages[1:]):
        raise RequestRefused("the request has a system message that is not the first. Move it up")
    max_tokens, temperature = request.max_tokens, request.temperature
    messages = (Message(message.role, encodable(message.content)) for message in request.messages)
    return dataclasses.replace(
        request,
        messages=tuple(messages),
        max_tokens=options.max_tokens if max_tokens is None else max_tokens,
        temperature=options.temperature if temperature is None else temperature,
    )
