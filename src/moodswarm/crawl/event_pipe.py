"""The pipe to the parent process; a thread writes to it, so a slow reader stops no download."""

import os
import queue
import select
import threading
from collections.abc import Callable

from moodswarm.crawl.events import Event, Finished, encode_event

_IDLE_SECONDS = 1.0
_HIGH_WATER = 16 * 1024 * 1024  # bytes; if more wait for a slow parent, spiders wait too


class EventPipe:
    """Writes events to a file descriptor from a thread of its own.

    The parent process may take seconds to store a batch of events, while a pipe holds only a few
    hundred kilobytes. If the event loop itself wrote to a full pipe, every download would stop
    until the parent reads again.

    Attributes:
        closed: Whether the reader has gone.
    """

    def __init__(self, descriptor: int, on_closed: Callable[[], None]) -> None:
        self.closed = False
        self._descriptor = descriptor
        self._on_closed = on_closed
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._write, name="events", daemon=True)
        # A browser or git that outlives this process must not keep the pipe open.
        os.set_inheritable(descriptor, False)
        self._thread.start()

    @property
    def crowded(self) -> bool:
        """Tell whether too much is waiting for the reader, so that spiders should wait as well."""
        return self._waiting > _HIGH_WATER and not self.closed

    def send(self, event: Event) -> None:
        """Queue one event."""
        line = encode_event(event)
        with self._lock:
            self._waiting += len(line)
        self._lines.put(line)

    def finish(self, event: Finished) -> None:
        """Write the last event after all others, and close the pipe."""
        self.send(event)
        self._lines.put(None)
        self._thread.join()
        os.close(self._descriptor)

    def _write(self) -> None:
        try:
            while (line := self._next()) is not None:
                view = memoryview(line)
                while view:
                    view = view[os.write(self._descriptor, view) :]
                with self._lock:
                    self._waiting -= len(line)
        except BrokenPipeError:
            self.closed = True
            self._on_closed()

    def _next(self) -> bytes | None:
        """Wait for the next line; raise `BrokenPipeError` if the reader goes away meanwhile."""
        watch = select.poll()
        watch.register(self._descriptor, select.POLLERR)
        while True:
            try:
                return self._lines.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                if any(state & select.POLLERR for _, state in watch.poll(0)):
                    raise BrokenPipeError from None
