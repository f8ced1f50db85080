"""The egress guard as an HTTP proxy on 127.0.0.1, for programs that Scrapy does not run.

Chromium and git are told to send everything here. CONNECT requests are for https, and requests with
an absolute address are for plain http. Each connection serves one request to one judged address.
Connections are limited in bytes, time and number.
"""

import asyncio
import logging
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from moodswarm.crawl.egress.http_head import MAX_HEAD, BadHead
from moodswarm.crawl.egress.policy import EgressPolicy, EgressRefused, Target
from moodswarm.crawl.egress.relay import ProxyLimits, Refusal, Relay, Streams

__all__ = ["EgressProxy", "ProxyLimits"]

_log = logging.getLogger(__name__)
_DEFAULT = ProxyLimits()
_REMEMBERED = 1_000
_FINISH_SECONDS = 5.0
_LOOKUPS_AT_ONCE = 8
_TITLES = {400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway", 503: "Busy", 504: "Slow"}


class EgressProxy:
    """A proxy that reaches only what a policy allows; a context manager.

    It runs in a thread of its own, started by `with`. It needs no password, because it listens only
    on 127.0.0.1 and reaches nothing that a program on this machine could not reach without it.

    Args:
        policy: Judges every request.
        max_bytes: See `ProxyLimits` for this limit and all others.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        max_bytes: int = _DEFAULT.max_bytes,
        max_seconds: float = _DEFAULT.max_seconds,
        max_connections: int = _DEFAULT.max_connections,
        idle_seconds: float = _DEFAULT.idle_seconds,
        connect_seconds: float = _DEFAULT.connect_seconds,
    ) -> None:
        self.policy = policy
        self.limits = ProxyLimits(
            max_bytes=max_bytes,
            max_seconds=max_seconds,
            max_connections=max_connections,
            idle_seconds=idle_seconds,
            connect_seconds=connect_seconds,
        )
        self._refused: dict[Target, str] = {}
        self._thread = threading.Thread(target=self._run, name="egress-proxy", daemon=True)
        self._lookups = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, "egress-lookup")
        self._open: set[asyncio.Task[None]] = set()
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._port = 0
        self._broken: OSError | None = None

    @property
    def url(self) -> str:
        """The address at which the proxy listens: `http://127.0.0.1:port`."""
        return f"http://127.0.0.1:{self._port}"

    def refusal(self, url: str) -> str | None:
        """Return why the host of an address was last refused here, if it was.

        Chromium reports a refused https page only as a failed tunnel; this is the real reason.
        """
        try:
            return self._refused.get(self.policy.target(url))
        except EgressRefused as refusal:
            return refusal.detail

    def __enter__(self) -> Self:
        """Listen on a free port.

        Raises:
            OSError: no port can be opened.
        """
        self._thread.start()
        self._listening.wait()
        if self._broken is not None:
            self._thread.join()
            raise self._broken
        return self

    def __exit__(self, *_: object) -> None:
        """End all connections and stop listening."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._broken = error
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=MAX_HEAD)
        self._loop = asyncio.get_running_loop()
        self._port = server.sockets[0].getsockname()[1]
        self._listening.set()
        try:
            await self._end.wait()
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)
            # A lookup cannot be cancelled, but its thread ends by itself.
            self._lookups.shutdown(wait=False, cancel_futures=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._client((reader, writer)))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _client(self, client: Streams) -> None:
        relay = Relay(client, self.policy, self._dial, self.limits)
        writer = client[1]
        try:
            if len(self._open) > self.limits.max_connections:
                raise Refusal(503, "too many connections at once")
            async with asyncio.timeout(self.limits.max_seconds):
                await relay.serve()
            await _finish(writer)
        except EgressRefused as refusal:
            await _tell(writer, 403, refusal.detail)
        except (Refusal, BadHead, TimeoutError, OSError, EOFError) as error:
            _log.debug("connection ended early: %s", type(error).__name__)
            if not relay.answered:
                await _tell(writer, *_status_of(error))
        finally:
            _break(writer)

    async def _dial(self, target: Target) -> Streams:
        """Connect to the first of a host's judged addresses that answers."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self.limits.connect_seconds):
            try:
                addresses = await loop.run_in_executor(
                    self._lookups, self.policy.resolve, target.host, target.port
                )
            except EgressRefused as refusal:
                self._remember(target, refusal)
                raise
        broken: OSError | None = None
        async with asyncio.timeout(self.limits.connect_seconds):
            for address in addresses:
                try:
                    return await asyncio.open_connection(address, target.port, limit=MAX_HEAD)
                except OSError as error:
                    broken = error
        raise broken or OSError("no address")

    def _remember(self, target: Target, refusal: EgressRefused) -> None:
        while len(self._refused) >= _REMEMBERED:
            del self._refused[next(iter(self._refused))]
        self._refused[target] = refusal.detail


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, Refusal):
        return error.status, error.text
    if isinstance(error, BadHead):
        return 400, str(error)
    if isinstance(error, TimeoutError):
        return 504, "too slow"
    return 502, "the server cannot be reached"


async def _tell(writer: asyncio.StreamWriter, status: int, text: str) -> None:
    body = text.encode() + b"\n"
    head = (
        f"HTTP/1.1 {status} {_TITLES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await _finish(writer)


async def _finish(writer: asyncio.StreamWriter) -> None:
    """Give the client a moment to read everything that was written."""
    try:
        async with asyncio.timeout(_FINISH_SECONDS):
            if writer.can_write_eof():
                writer.write_eof()
            await writer.drain()
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError):
        return


def _break(writer: asyncio.StreamWriter) -> None:
    """Reset a connection that is still open.

    If it ended normally, the client would take a partial answer for a complete one.
    """
    if not writer.transport.is_closing():
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
