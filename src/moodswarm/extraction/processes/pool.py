"""Extraction in separate processes, so that a costly page harms no other page.

Each worker belongs to one thread and has its own channel. A worker that is killed, at whatever
moment, therefore leaves no lock behind and loses no other page. (In pebble's pool, all workers
share one pipe, and the death of an idle one breaks the pool.)
"""

import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from socket import socketpair
from types import TracebackType

from moodswarm.extraction.article import Article, Refused

#: A worker is replaced after this many pages, to free the memory that parsers keep.
_PAGES_PER_WORKER = 1_000
_START_SECONDS = 120.0
_END_SECONDS = 5.0
_MODULE = "moodswarm.extraction.processes.worker"

Outcome = Article | Refused
_STOPPED = Refused("crashed", "extraction was stopped")


@dataclass(frozen=True, slots=True)
class _Page:
    body: bytes
    url: str
    content_type: str | None
    outcome: "Future[Outcome]"


class ExtractionPool:
    """Extracts pages in parallel processes, each killed if it needs too much time or memory.

    `submit` never blocks and queues without limit, so the caller must limit the number of pages
    that it has submitted but not yet received. `in_flight` pages keep every process busy; any more
    would only wait in memory.

    Args:
        processes: Number of workers; None means one per core. They start with the first pages.
        page_seconds: A page that takes longer is refused as `too_slow`, and its worker is replaced.
        html_bytes: Longer pages are refused.
        memory_mib: Address space of a worker; a page that needs more is refused as
            `out_of_memory`.
    """

    def __init__(
        self, processes: int | None, page_seconds: float, html_bytes: int, memory_mib: int
    ) -> None:
        self.processes = processes or os.cpu_count() or 1
        self._bytes = html_bytes
        self._queue: SimpleQueue[_Page | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._workers = [
            _Worker(page_seconds, html_bytes, memory_mib) for _ in range(self.processes)
        ]
        self._threads = [
            threading.Thread(target=self._serve, args=(w,), name="extraction", daemon=True)
            for w in self._workers
        ]
        for thread in self._threads:
            thread.start()

    @property
    def in_flight(self) -> int:
        """The number of pages to keep submitted: per worker, one in progress and one waiting."""
        return 2 * self.processes

    def submit(self, body: bytes, url: str, content_type: str | None = None) -> "Future[Outcome]":
        """Extract a page; the future never raises, whatever the page does.

        Its callbacks run in a thread of the pool.
        """
        outcome: Future[Outcome] = Future()
        if len(body) > self._bytes:
            detail = f"{len(body):,} bytes; at most {self._bytes:,} are read"
            outcome.set_result(Refused("too_large", detail))
            return outcome
        with self._lock:
            if self._closed:
                outcome.set_result(_STOPPED)
            else:
                self._queue.put(_Page(body, url, content_type, outcome))
        return outcome

    def close(self) -> None:
        """Kill the workers and refuse unfinished pages as `crashed`; may be called twice."""
        with self._lock:
            self._closed = True
        for worker in self._workers:
            worker.stop()
            self._queue.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_END_SECONDS)
        with suppress(Empty):
            while True:
                if page := self._queue.get_nowait():
                    _settle(page, _STOPPED)

    def __enter__(self) -> "ExtractionPool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _serve(self, worker: "_Worker") -> None:
        while page := self._queue.get():
            if self._closed:
                _settle(page, _STOPPED)
            elif page.outcome.set_running_or_notify_cancel():
                page.outcome.set_result(worker.extract(page))
        worker.kill()


def _settle(page: _Page, outcome: Outcome) -> None:
    if page.outcome.set_running_or_notify_cancel():
        page.outcome.set_result(outcome)


class _Worker:
    """The pool's side of one process, which is started when needed and replaced when it fails."""

    def __init__(self, seconds: float, html_bytes: int, memory_mib: int) -> None:
        self._seconds = seconds
        self._arguments = [str(html_bytes), str(memory_mib)]
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None
        self._pages = 0
        self._stopped = False
        self._lock = threading.Lock()

    def extract(self, page: _Page) -> Outcome:
        """Have the process extract the page; if it died beforehand, it is replaced first."""
        outcome = self._attempt(page)
        if outcome is None:  # the worker died before it took the page, so the page is not to blame
            outcome = self._attempt(page)
        return outcome or Refused("crashed", "two workers ended before they took the page")

    def _attempt(self, page: _Page) -> Outcome | None:
        if self._child is None and (failure := self._start()):
            return failure
        self._pages += 1
        outcome = self._ask(page)
        spoilt = isinstance(outcome, Refused) and outcome.reason == "out_of_memory"
        if spoilt or self._pages >= _PAGES_PER_WORKER:
            self.kill()
        return outcome

    def stop(self) -> None:
        """Kill the process from another thread; its page is refused as `crashed`."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()

    def kill(self) -> None:
        """End the process and forget it."""
        with self._lock:
            child, channel, self._child, self._channel = self._child, self._channel, None, None
        if channel is not None:
            channel.close()
        if child is not None:
            child.kill()
            child.wait()

    def _start(self) -> Refused | None:
        # A new interpreter is started. A fork of the crawler could hang on a lock that one of its
        # threads held, and multiprocessing would import the crawler's main module again.
        ours, theirs = socketpair()
        command = [sys.executable, "-m", _MODULE, str(theirs.fileno()), *self._arguments]
        with theirs, self._lock:
            if self._stopped:
                ours.close()
                return _STOPPED
            self._channel = Connection(ours.detach())
            self._child = subprocess.Popen(  # noqa: S603  # our own module
                [*command, str(os.getpid())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._pages = 0
        try:
            if self._channel.poll(_START_SECONDS):
                self._channel.recv()
                return None
        except (EOFError, OSError):
            pass
        code = self._child.poll()
        self.kill()
        return Refused("crashed", f"its worker did not start (exit code {code})")

    def _ask(self, page: _Page) -> Outcome | None:
        """Return the worker's answer; None if the worker was gone before it took the page."""
        if self._channel is None or self._child is None:
            return _STOPPED
        taken = False
        try:
            self._channel.send((page.body, page.url, page.content_type))
            for _ in ("taken", "done"):
                if not self._channel.poll(self._seconds):
                    break
                outcome: Outcome | str = self._channel.recv()
                if not isinstance(outcome, str):
                    return outcome
                taken = True
        except (EOFError, OSError):
            return self._bury(taken)
        self.kill()
        return Refused("too_slow", f"not done within {self._seconds:g} seconds")

    def _bury(self, taken: bool) -> Outcome | None:
        code = None
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                code = self._child.wait(_END_SECONDS)
        self.kill()
        if self._stopped:
            return _STOPPED
        return Refused("crashed", f"its worker ended with exit code {code}") if taken else None
