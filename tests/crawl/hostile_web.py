"""The server behind `hostile`: sites by host name, counts of requests, and the canary server."""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from moodswarm.crawl.spec import Egress

HTML = "text/html; charset=utf-8"
_WORDS = (
    "river stone window market letter garden winter evening station bridge teacher kitchen "
    "forest harbour morning paper silence summer street village mountain engine lantern orchard"
).split()

Serve = Callable[["Exchange"], Awaitable[None]]
SITES: dict[str, Serve] = {}


def site(name: str) -> Callable[[Serve], Serve]:
    """Register the function that serves a site."""

    def register(serve: Serve) -> Serve:
        SITES[name] = serve
        return serve

    return register


@dataclass(frozen=True)
class Exchange:
    """One request, and the way to answer it.

    Attributes:
        hit: How often this path of this site was requested, including this time.
    """

    web: "HostileWeb"
    name: str
    path: str
    hit: int
    headers: dict[str, str]
    writer: asyncio.StreamWriter

    async def answer(
        self,
        body: bytes | str = b"",
        status: int = 200,
        content_type: str = HTML,
        **headers: str,
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        await self.begin(status, content_type, Content_Length=str(len(data)), **headers)
        await self.send([data])

    async def begin(self, status: int = 200, content_type: str = HTML, **headers: str) -> None:
        """Send the status line and the headers; `_` in a header's name stands for `-`."""
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send(["\r\n".join([*lines, "Connection: close", "", ""]).encode()])

    async def send(self, pieces: Iterable[bytes], pause: float = 0.0) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if pause:
                await asyncio.sleep(pause)

    async def redirect(self, address: str) -> None:
        await self.answer(b"", 302, Location=address)

    def reset(self) -> None:
        """Reset the connection instead of closing it properly."""
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def article(number: int, site_name: str = "articles") -> str:
    """Return a good page: a title and 300 words, different for every number."""
    words = random.Random(f"{site_name} {number}")
    paragraphs = "".join(
        "<p>" + " ".join(words.choices(_WORDS, k=60)).capitalize() + ".</p>" for _ in range(5)
    )
    title = f"{site_name} {number} {' '.join(words.choices(_WORDS, k=3))}"
    return (
        f"<!doctype html><html lang=en><head><title>{title}</title></head>"
        f"<body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    )


class HostileWeb:
    """All sites on one port, and the canary on another; a context manager.

    Attributes:
        hits: The number of requests for each `host/path`.
        canary: Requests to the canary; if there are any, the guard has a hole.
        canary_connections: The number of connections to the canary, with or without a request.
    """

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.canary: list[str] = []
        self.canary_connections = 0
        self.port = self.canary_port = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def url(self, name: str, path: str = "/") -> str:
        """Return the address of a page of a site."""
        return f"http://{name}.test:{self.port}{path}"

    def egress(self) -> Egress:
        """Return rules that name every site, and also `private.test`, which is not allowed."""
        return Egress(
            allow=tuple(f"{name}.test:{self.port}" for name in SITES),
            hosts={f"{name}.test": "127.0.0.1" for name in (*SITES, "private")},
        )

    def __enter__(self) -> Self:
        """Listen on two free ports."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        """Break all connections and stop."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._servers = [
            await asyncio.start_server(accept, "127.0.0.1", 0)
            for accept in (self._accept, self._accept_canary)
        ]
        self.port, self.canary_port = (
            server.sockets[0].getsockname()[1] for server in self._servers
        )

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # broken connections close their sockets now

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._start(self._serve(reader, writer))

    def _accept_canary(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.canary_connections += 1
        self._start(self._sing(reader, writer))

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; clients of hostile sites are expected to close early."""
        try:
            with suppress(OSError, EOFError):
                await self._answer(reader, writer)
                writer.write_eof()
                await reader.read()
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path, headers = await _read_request(reader)
        name = headers.get("host", "").partition(".")[0]
        self.hits[f"{name}.test{path}"] += 1
        hit = self.hits[f"{name}.test{path}"]
        exchange = Exchange(self, name, path, hit, headers, writer)
        robots = path == "/robots.txt" and not name.startswith(("robots-", "sitemap-"))
        if robots or name not in SITES:
            await exchange.answer("nothing here", 404)
        else:
            await SITES[name](exchange)

    async def _sing(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, EOFError):
                path, _ = await _read_request(reader)
                self.canary.append(path)
                await Exchange(self, "canary", path, 1, {}, writer).answer(article(0, "secret"))
                writer.write_eof()
                await reader.read()
        finally:
            writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    fields = (line.partition(":") for line in lines if line)
    return first.split(" ")[1], {name.lower(): value.strip() for name, _, value in fields}
