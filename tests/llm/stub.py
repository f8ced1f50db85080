"""A local OpenAI-compatible endpoint that misbehaves on request and counts its requests.

It has a thread and an event loop of its own, speaks HTTP/1.1 without a web framework, and needs no
key unless one is set. It also accepts OpenTelemetry spans, which it only counts.

    with stub(faults=["429", None]) as server:
        client = AsyncOpenAI(base_url=server.base_url, api_key="key")
"""

import asyncio
import json
import random
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

#: Faults by name.
#: "429" and "429 retry-after", "500", "503": refused at once, before anything is computed.
#: "hang": no answer comes, and a place is held until the client leaves.
#: "drop": the connection ends before the first token; "drop later": after that token.
#: "broken json": JSON that can be repaired; "no json": prose; "wrong shape": JSON of another shape.
#: "cut off": half of the answer, with the finish reason `length`.
FAULTS = (
    *("429", "429 retry-after", "500", "503", "hang", "drop", "drop later"),
    *("broken json", "no json", "wrong shape", "cut off"),
)
MODEL = "stub-model"
Answer = Callable[[list[dict[str, str]]], str]
_REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def echo(messages: list[dict[str, str]]) -> str:
    """Answer with the first user message as JSON, so that equal questions get equal answers."""
    return json.dumps({"answer": _question(messages)})


@dataclass(frozen=True, kw_only=True)
class StubOptions:
    """The behaviour of the endpoint.

    Attributes:
        faults: Faults of the first chat requests, in order; None stands for a good answer.
        rates: Share of the later requests that meet each fault.
        places: Number of requests that are computed at the same time; further requests wait.
        seconds: Time that an answer takes to compute, in seconds.
        retry_after: Seconds that "429 retry-after" asks for.
        key: The only key that is accepted; None accepts any.
    """

    faults: Sequence[str | None] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    places: int = 1_000
    seconds: float = 0.0
    retry_after: float = 0.05
    key: str | None = None
    model: str = MODEL
    answer: Answer = echo


@dataclass
class Counts:
    """Counts of requests and answers.

    Attributes:
        requests: Chat requests that were read.
        met: Faults that occurred, by name.
        paid: Answers that were computed and sent, including unusable ones.
        good: Good, complete answers by question, which is the first user message.
        most_at_once: Largest number of chat requests that were open at the same time.
        busy_seconds: Seconds that places were taken, added up over all places.
        traces: Batches of spans that were posted.
        bodies: The last 200 chat requests, as sent.
    """

    requests: int = 0
    met: Counter[str] = field(default_factory=Counter)
    paid: int = 0
    good: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    busy_seconds: float = 0.0
    traces: int = 0
    bodies: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=200), repr=False)


class StubServer:
    """The endpoint; clients are configured with its `base_url`."""

    def __init__(self, options: StubOptions) -> None:
        unknown = {*filter(None, options.faults), *options.rates} - {*FAULTS}
        if unknown:
            raise ValueError(f"unknown faults {sorted(unknown)}; there are {FAULTS}")
        self.options, self.counts = options, Counts()
        self.base_url = ""
        self._script = list(options.faults)
        self._random = random.Random(options.seed)
        self._open = 0
        self._lines: set[asyncio.Task[None]] = set()

    async def serve(self, ready: "Future[None]", stop: asyncio.Event) -> None:
        """Answer until told to stop."""
        self._places = asyncio.Semaphore(self.options.places)
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=512)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ready.set_result(None)
        await stop.wait()
        server.close()
        for line in [*self._lines]:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line
        self._lines.add(line)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._lines.discard(line)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = first.split()[1]
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if self.options.key is not None and key != self.options.key:
            return await _refuse(writer, 401, "Incorrect API key provided", "invalid_api_key")
        if path == "/v1/models":
            models = {"object": "list", "data": [{"id": self.options.model, "object": "model"}]}
            return await _send(writer, models)
        if path == "/v1/traces":
            self.counts.traces += 1
            return await _send(writer, {})
        if path != "/v1/chat/completions":
            return await _refuse(writer, 404, f"no such path {path}", "not_found")
        self._open += 1
        self.counts.most_at_once = max(self.counts.most_at_once, self._open)
        try:
            return await self._chat(json.loads(body), reader, writer)
        finally:
            self._open -= 1

    async def _chat(
        self, asked: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        self.counts.requests += 1
        self.counts.bodies.append(asked)
        if asked["model"] != self.options.model:
            message = f"The model {asked['model']} does not exist"
            return await _refuse(writer, 404, message, "model_not_found")
        fault = self._next_fault()
        if fault:
            self.counts.met[fault] += 1
        if fault in {"429", "429 retry-after", "500", "503"}:
            after = {"Retry-After": f"{self.options.retry_after:g}"} if "after" in fault else {}
            return await _refuse(writer, int(fault[:3]), f"stub fault {fault}", "stub", after)
        if fault == "drop":
            return False
        async with self._place():
            if fault == "hang":
                await reader.read(1)  # Ends when the client leaves.
                return False
            if not asked.get("stream"):
                await asyncio.sleep(self.options.seconds)
            if reader.at_eof():
                return False
            return await self._answer(asked, fault, writer)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        async with self._places:
            loop = asyncio.get_running_loop()
            start = loop.time()
            try:
                yield
            finally:
                self.counts.busy_seconds += loop.time() - start

    def _next_fault(self) -> str | None:
        if self._script:
            return self._script.pop(0)
        drawn = self._random.random()
        for name, rate in self.options.rates.items():
            if (drawn := drawn - rate) < 0:
                return name
        return None

    async def _answer(
        self, asked: dict[str, Any], fault: str | None, writer: asyncio.StreamWriter
    ) -> bool:
        text, finish = _spoil(self.options.answer(asked["messages"]), fault)
        if asked.get("stream"):
            stays = await self._stream(asked, text, finish, fault, writer)
        else:
            choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
            whole = _completion(asked, "chat.completion", [choice | {"index": 0}], text)
            stays = await _send(writer, whole, half=fault == "drop later")
        if stays:
            self.counts.paid += 1
        if stays and fault is None:
            self.counts.good[_question(asked["messages"])] += 1
        return stays

    async def _stream(
        self,
        asked: dict[str, Any],
        text: str,
        finish: str,
        fault: str | None,
        writer: asyncio.StreamWriter,
    ) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        )
        words = [word for word in text.split(" ") if word]
        pieces = [word + " " for word in words[:-1]] + words[-1:]
        for piece in pieces:
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            await _event(writer, _completion(asked, "chat.completion.chunk", [choice]))
            if fault == "drop later":
                return False
            await asyncio.sleep(self.options.seconds / len(pieces))
        choice = {"index": 0, "delta": {}, "finish_reason": finish}
        await _event(writer, _completion(asked, "chat.completion.chunk", [choice]))
        if (asked.get("stream_options") or {}).get("include_usage"):
            await _event(writer, _completion(asked, "chat.completion.chunk", [], text))
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        self.counts.paid += 1
        if fault is None:
            self.counts.good[_question(asked["messages"])] += 1
        writer.close()
        return False


@contextmanager
def stub(**options: Any) -> Iterator[StubServer]:
    """Run an endpoint with the options of `StubOptions` until the end of the block."""
    server = StubServer(StubOptions(**options))
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), Future[None]()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(server.serve(ready, stop)), daemon=True
    )
    thread.start()
    try:
        ready.result(timeout=10)
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
        loop.close()


def _question(messages: list[dict[str, str]]) -> str:
    return next((message["content"] for message in messages if message["role"] == "user"), "")


def _spoil(text: str, fault: str | None) -> tuple[str, str]:
    match fault:
        case "broken json":
            return f"Sure, here it is:\n```json\n{text.rstrip('}')},\n", "stop"
        case "no json":
            return "I would rather not say.", "stop"
        case "wrong shape":
            return '{"unexpected": [1, 2]}', "stop"
        case "cut off":
            return text[: len(text) // 2], "length"
    return text, "stop"


def _completion(
    asked: dict[str, Any], kind: str, choices: list[dict[str, Any]], text: str | None = None
) -> dict[str, Any]:
    whole = {"id": "stub", "object": kind, "created": 0, "model": asked["model"]}
    if text is not None:
        prompt = sum(len(message["content"].split()) for message in asked["messages"])
        answer = len(text.split())
        whole["usage"] = {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
        }
    return {**whole, "choices": choices}


async def _event(writer: asyncio.StreamWriter, value: dict[str, Any]) -> None:
    writer.write(b"data: " + json.dumps(value).encode() + b"\n\n")
    await writer.drain()


async def _refuse(
    writer: asyncio.StreamWriter,
    status: int,
    message: str,
    code: str,
    headers: Mapping[str, str] | None = None,
) -> bool:
    error = {"error": {"message": message, "type": code, "code": code}}
    return await _send(writer, error, status, headers)


async def _send(
    writer: asyncio.StreamWriter,
    value: dict[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    half: bool = False,
) -> bool:
    body = json.dumps(value).encode()
    extra = "".join(f"{name}: {text}\r\n" for name, text in (headers or {}).items())
    writer.write(
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{extra}\r\n".encode()
    )
    writer.write(body[: len(body) // 2] if half else body)
    await writer.drain()
    return not half
