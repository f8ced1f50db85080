"""A scripted HTTP endpoint on the test's own event loop, which records requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; the names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer.

    Attributes:
        body: JSON, or text that is sent unchanged.
        events: Server-sent events in place of a body; each is JSON, a text, or (name, JSON).
        hold: Whether to wait after the events until the client leaves.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    events: Sequence[Any] | None = None
    hold: bool = False


def said(text: str = "hello", finish: str = "stop", **more: Any) -> Reply:
    """Return an answer in one piece, as OpenAI sends it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    whole = {"id": "1", "object": "chat.completion", "created": 0, "model": "m-1", "usage": usage}
    return Reply(body={**whole, "choices": [choice | {"finish_reason": finish}], **more})


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return one event of a stream as OpenAI sends it."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m-1"}
    return {**whole, "choices": [choice], **more}


def refused(status: int, message: str, **more: Any) -> Reply:
    """Return a refusal as OpenAI sends it."""
    headers = more.pop("headers", {})
    return Reply(status=status, body={"error": {"message": message, **more}}, headers=headers)


class Wire:
    """The endpoint; it sends its replies in order, and then repeats the last one."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = list(replies)
        self.asked: list[Asked] = []
        self.left = asyncio.Event()
        self.address = ""

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request per connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.asked.append(await _read(reader))
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = self._replies[0] if len(self._replies) == 1 else self._replies.pop(0)
            writer.write(_head(reply))
            for event in reply.events or ():
                writer.write(_event(event))
                await writer.drain()
            if reply.hold:
                await reader.read()
                self.left.set()
        except ConnectionError:
            # The client left by resetting the connection.
            self.left.set()


@asynccontextmanager
async def wire(*replies: Reply) -> AsyncIterator[Wire]:
    """Run an endpoint with these replies; its `address` has no path."""
    endpoint = Wire(replies)
    server = await asyncio.start_server(endpoint.connect, "127.0.0.1", 0)
    endpoint.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield endpoint
    finally:
        server.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(first.split()[1], headers, json.loads(body or b"{}"))


def _head(reply: Reply) -> bytes:
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
    kind = "text/html" if isinstance(reply.body, str) else "application/json"
    headers = {"Content-Type": kind, "Content-Length": str(len(text.encode())), **reply.headers}
    if reply.events is not None:
        headers, text = {"Content-Type": "text/event-stream", **reply.headers}, ""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} Any\r\nConnection: close\r\n{lines}\r\n{text}".encode()


def _event(event: Any) -> bytes:
    name, value = event if isinstance(event, tuple) else ("", event)
    text = value if isinstance(value, str) else json.dumps(value)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
