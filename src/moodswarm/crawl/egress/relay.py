"""One connection to the proxy: a request is read, judged and forwarded, and answered."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from moodswarm.crawl.egress.http_head import (
    BadHead,
    Head,
    body_length,
    read_head,
    request_line,
    response_status,
)
from moodswarm.crawl.egress.policy import EgressPolicy, Target

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[Target], Awaitable[Streams]]

_PIECE = 256 * 1024
_AUTHORITY = re.compile(r"[^/?#\\]+:[0-9]{1,5}")
_ABSOLUTE = re.compile(r"http://[^/?#]+([^#]*)(?:#.*)?", re.IGNORECASE)
_HTTP = 80
_SWITCHING, _FINAL = 101, 200


@dataclass(frozen=True, slots=True)
class ProxyLimits:
    """The limits on each connection, and on the number of connections.

    Attributes:
        max_bytes: Bytes that one connection may carry, both directions together.
        max_seconds: Duration of one connection, from its first byte to its last.
        max_connections: Connections at the same time; any more are answered with 503.
        idle_seconds: Time that may pass without a byte in either direction.
        connect_seconds: Time for each of three steps: reading the request's head, the lookup, and
            connecting.
    """

    max_bytes: int = 1024**3
    max_seconds: float = 600.0
    max_connections: int = 64
    idle_seconds: float = 60.0
    connect_seconds: float = 15.0


class Refusal(Exception):
    """An answer by the proxy itself, with an error status, in place of the server's answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Relay:
    """Serves one client.

    Attributes:
        answered: Whether the client already has part of an answer, so that no other can follow.
    """

    def __init__(
        self, client: Streams, policy: EgressPolicy, dial: Dial, limits: ProxyLimits
    ) -> None:
        self.answered = False
        self._reader, self._writer = client
        self._policy = policy
        self._dial = dial
        self._limits = limits
        self._left = limits.max_bytes
        self._last = 0.0

    async def serve(self) -> None:
        """Serve the one request of this connection.

        Raises:
            EgressRefused: the address may not be reached.
            Refusal, BadHead: the request cannot be served.
            OSError, EOFError: a connection broke.
        """
        async with asyncio.timeout(self._limits.connect_seconds):
            head = await read_head(self._reader)
        method, address = request_line(head)
        if method == b"CONNECT":
            await self._tunnel(address.decode())
        else:
            await self._forward(method, address.decode(), head)

    async def _tunnel(self, authority: str) -> None:
        if not _AUTHORITY.fullmatch(authority):
            raise BadHead("CONNECT needs host:port")
        reader, writer = await self._dial(self._policy.target(f"https://{authority}/"))
        try:
            self._writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.answered = True
            await self._together(self._pump(self._reader, writer), self._pump(reader, self._writer))
        finally:
            writer.transport.abort()

    async def _forward(self, method: bytes, url: str, head: Head) -> None:
        match = _ABSOLUTE.fullmatch(url)
        if match is None:
            raise BadHead("a proxy needs CONNECT or an absolute http address")
        target = self._policy.target(url)
        path = match[1] if match[1].startswith("/") else f"/{match[1]}"
        # The address decides, never the Host field, so the request goes to the judged host.
        host = str(target).removesuffix(f":{_HTTP}") if target.port == _HTTP else str(target)
        size = body_length(head)
        line = b"%s %s HTTP/1.1" % (method, path.encode())
        reader, writer = await self._dial(target)
        try:
            writer.write(head.forwarded(line, host.encode()))
            # The answer may come before the server has read the whole body; the rest of the body
            # is then not sent.
            body = self._pump(self._reader, writer, size)
            await self._together(self._answer(reader), body, first_ends=True)
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        """Forward one response, without the interim responses before it."""
        try:
            while (status := response_status(head := await read_head(reader))) < _FINAL:
                if status == _SWITCHING:
                    raise BadHead("the server switches to another protocol")
        except BadHead as error:
            raise Refusal(502, f"the server's answer cannot be read: {error}") from None
        self.answered = True
        self._writer.write(head.forwarded(head.line))
        await self._pump(reader, self._writer)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int | None = None
    ) -> None:
        """Forward bytes until the sender closes, or until `size` of them have passed."""
        left = size
        while left is None or left > 0:
            data = await reader.read(_PIECE if left is None else min(_PIECE, left))
            if not data:
                break
            self._count(len(data))
            writer.write(data)
            await writer.drain()
            left = None if left is None else left - len(data)
        if size is None and writer.can_write_eof():
            writer.write_eof()

    def _count(self, size: int) -> None:
        self._left -= size
        self._last = asyncio.get_running_loop().time()
        if self._left < 0:
            raise Refusal(502, "the connection carried more bytes than allowed")

    async def _together(
        self, *relays: Coroutine[None, None, None], first_ends: bool = False
    ) -> None:
        """Run until all relays are done, or with `first_ends`, until the first in the list is done.

        A relay that fails, or a time without any byte, raises an error.
        """
        self._last = asyncio.get_running_loop().time()
        tasks = [asyncio.create_task(relay) for relay in (self._until_idle(), *relays)]
        idle, lasting = tasks[0], tasks[1:2] if first_ends else tasks[1:]
        running = set(tasks)
        try:
            while not running.isdisjoint(lasting):
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if idle in done:
                    raise Refusal(504, "no byte passed for too long")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_idle(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._last + self._limits.idle_seconds - loop.time()) > 0:
            await asyncio.sleep(left)
