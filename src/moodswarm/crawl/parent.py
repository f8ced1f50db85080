"""The parent's side of a crawl: start the child process, read its events, and make sure it ends.

Scrapy's reactor cannot start twice in one process, and a crawl may be killed because it uses too
much memory. Each crawl therefore runs in a process of its own. This works under any Kedro runner,
and as often as needed in one session.
"""

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any

from moodswarm.crawl.events import Event, Finished, decode_event
from moodswarm.crawl.spec import CrawlSpec

CHILD_COMMAND = (sys.executable, "-m", "moodswarm.crawl.child")

_CHUNK = 1 << 20
_IDLE_SECONDS = 0.5
#: After a request to stop, pages that are being fetched or extracted have this long to finish.
GRACE_SECONDS = 20.0
#: How long the parent waits beyond the crawl's time limit, at which the child should end by itself.
_OVERTIME_SECONDS = 300.0
# The `fcntl` command of Linux that enlarges a pipe. With room for a few hundred pages, a slow save
# stalls no download.
_F_SETPIPE_SZ = 1031


class CrawlerMissing(ImportError):
    """The crawler is not installed; the message says how to install it."""


class CrawlStopped(RuntimeError):
    """The crawl ended before it was done; the message says why, and that a rerun continues it."""


class CrawlChild:
    """A running crawl.

    Iteration yields the events of the crawl, and `None` whenever no event came for half a second,
    so that the reader can do other work meanwhile. It ends when the child process has closed its
    pipe.

    Args:
        folder: Where the specification is written for the child to read.
        command: The program to run; it is called with the path of the specification.

    Attributes:
        finished: The child's last event; None until that event has come.
        interrupted: Whether the user asked the crawl to stop with Ctrl-C.
    """

    def __init__(
        self, spec: CrawlSpec, folder: Path, command: Sequence[str] = CHILD_COMMAND
    ) -> None:
        self.finished: Finished | None = None
        self.interrupted = False
        self._deadline = time.monotonic() + spec.limits.hours * 3600 + _OVERTIME_SECONDS
        self._overtime = False
        path = folder / "spec.json"
        path.write_text(spec.model_dump_json(), encoding="utf-8")
        reading, writing = os.pipe()
        _widen(reading)
        try:
            self._child = subprocess.Popen(  # noqa: S603  # our own module
                [*command, str(path), "--events-fd", str(writing)],
                pass_fds=[writing],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._pipe: IO[bytes] = os.fdopen(reading, "rb", buffering=0)

    def __iter__(self) -> Iterator[Event | None]:
        for line in self._lines():
            event = decode_event(line) if line else None
            if isinstance(event, Finished):
                self.finished = event
            else:
                yield event

    def stop(self) -> None:
        """Ask the child to end soon; its last events can still be read."""
        self._deadline = min(self._deadline, time.monotonic() + GRACE_SECONDS)
        self._signal(signal.SIGTERM)

    def close(self) -> None:
        """End the child and everything it started, by force if necessary."""
        if self._child.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(1.0 if self.finished else 0.0)
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(1.0)
        # The process group outlives the child as long as a browser or git is left in the group.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._pipe.close()

    def complain(self) -> None:
        """Raise `CrawlStopped` unless every spider had nothing left to do.

        Scrapy's exit code does not help: it is 0 even after SIGTERM, or when the memory limit has
        ended the crawl.
        """
        reason = self._reason()
        if reason:
            raise CrawlStopped(
                f"the crawl stopped early: {reason}. Everything it fetched is stored. Run the same "
                "command again to continue"
            )

    def _reason(self) -> str | None:
        if self._overtime:
            return "it did not end within its time limit (limits.hours)"
        if self.finished is None:
            code = self._child.wait()
            return f"its process died ({_exit_reason(code)})"
        early = {s: r for s, r in self.finished.reasons.items() if r != "finished"}
        return ", ".join(f"spider {name} {r}" for name, r in sorted(early.items())) or None

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._child.send_signal(number)

    def _lines(self) -> Iterator[bytes]:
        """Yield complete lines, and an empty line whenever none came for half a second."""
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            while True:
                if time.monotonic() > self._deadline:
                    self._overtime = not self.interrupted
                    return
                if not selector.select(_IDLE_SECONDS):
                    yield b""
                    continue
                chunk = os.read(self._pipe.fileno(), _CHUNK)
                if not chunk:
                    return  # A line that was cut off by the child's death is not an event.
                *lines, rest = chunk.split(b"\n")
                for line in lines:
                    parts.append(line)
                    yield b"".join(parts)
                    parts.clear()
                parts.append(rest)


@contextmanager
def start_crawl(
    spec: CrawlSpec, folder: Path, command: Sequence[str] = CHILD_COMMAND
) -> Iterator[CrawlChild]:
    """Run the crawler; after the block, the child and everything that it started have ended.

    The first Ctrl-C asks the child to stop. The block continues up to the last event, and then
    `KeyboardInterrupt` is raised. A second Ctrl-C interrupts the block immediately.
    """
    child = CrawlChild(spec, folder, command)
    try:
        with _Interrupt(child):
            yield child
    finally:
        child.close()
    if child.interrupted:
        raise KeyboardInterrupt


def require_crawler() -> None:
    """Check that the `crawl` extra is installed, before anything is prepared.

    Raises:
        CrawlerMissing: if it is not installed; the message says how to install it.
    """
    missing = [name for name in ("scrapy", "trafilatura", "pebble") if find_spec(name) is None]
    if missing:
        raise CrawlerMissing(
            f"crawling needs {', '.join(missing)}. "
            'Install everything it needs: pip install "moodswarm[crawl]"'
        )


class _Interrupt:
    """Turns the first Ctrl-C into a request to stop."""

    def __init__(self, child: CrawlChild) -> None:
        self._child = child
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._stop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._restore()
        self._child.interrupted = True
        sys.stderr.write(
            "\nStopping. Pages that are being read are still stored. "
            "Press Ctrl-C again to stop now.\n"
        )
        self._child.stop()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # if the system refuses, the pipe keeps its default size
            fcntl.fcntl(pipe, _F_SETPIPE_SZ, _CHUNK)


def _exit_reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
