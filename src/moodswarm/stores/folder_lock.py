"""Lets only one process at a time use a folder, with a lock of the operating system."""

import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from moodswarm.stores.errors import StoreLocked, StoreUnavailable

logger = logging.getLogger(__name__)

_SECRET = re.compile(r"(?i)(key|token|secret|passw|credential|auth(?!or))")
_LOGIN = re.compile(r"://[^/@\s]+@")
_SHOWN = 120


class FolderLock:
    """The right to use a folder; the system releases it when the process dies.

    Args:
        path: The folder; it is created, with its `store.lock`, when the lock is taken.
        timeout: Seconds to wait for another process; with 0, `acquire` does not wait.
        on_wait: Called once before waiting, with a text that names the holder; by default, the
            text is logged as a warning.
        remedy: What to do instead of waiting; part of the error message.
    """

    def __init__(
        self,
        path: Path,
        timeout: float,
        on_wait: Callable[[str], None] | None = None,
        remedy: str = "use a Qdrant server, which serves many processes at once",
    ) -> None:
        self._path = path
        self._timeout = timeout
        self._on_wait = on_wait or logger.warning
        self._remedy = remedy
        # A store may be closed by a different thread from the one that opened it.
        self._lock = FileLock(path / "store.lock", thread_local=False)
        self._holder = path / "store.lock.json"

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            StoreLocked: another process still holds the lock after `timeout` seconds.
            StoreUnavailable: the folder cannot be written to.
        """
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            if not self._try(0):
                self._wait()
            self._write_holder()
        except OSError as error:
            raise StoreUnavailable(
                f"cannot lock the store at {self._path}: {error}. Choose a folder that this user "
                "may write to"
            ) from error

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def __enter__(self) -> "FolderLock":
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _try(self, timeout: float) -> bool:
        try:
            self._lock.acquire(timeout=timeout, poll_interval=0.1)
        except Timeout:
            return False
        return True

    def _wait(self) -> None:
        if self._timeout > 0:
            self._on_wait(f"waiting for {self._read_holder()}, which holds the store {self._path}")
            if self._try(self._timeout):
                return
        raise StoreLocked(
            f"the store at {self._path} is held by {self._read_holder()}; waited "
            f"{self._timeout:g} seconds. Let it finish or stop it, or {self._remedy}"
        )

    def _write_holder(self) -> None:
        details = {
            "pid": os.getpid(),
            "command": command_line(sys.argv),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        draft = self._holder.with_suffix(".new")
        draft.write_text(json.dumps(details), encoding="utf-8")
        draft.replace(self._holder)

    def _read_holder(self) -> str:
        """Describe the process that holds the lock; it writes its details just after taking it."""
        for _ in range(10):
            try:
                holder = json.loads(self._holder.read_text(encoding="utf-8"))
                return f"pid {holder['pid']} ({holder['command']}) since {holder['since']}"
            except (OSError, ValueError, KeyError):
                time.sleep(0.01)
        return "another process"


def command_line(arguments: list[str]) -> str:
    """Return a command line, shortened, with everything that may be a secret masked."""
    words = []
    masked = False
    for word in [Path(arguments[0]).name if arguments else "", *arguments[1:]]:
        words.append("***" if masked else _mask(word))
        masked = not masked and bool(_SECRET.search(word)) and not re.search(r"[=:]", word)
    line = " ".join(words)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."


def _mask(word: str) -> str:
    """Mask a login within an address, and everything after the `=` or `:` of a secret."""
    word = _LOGIN.sub("://***@", word)
    if found := _SECRET.search(word):
        head, mark, _ = word[found.start() :].partition("=")
        if not mark:
            head, mark, _ = word[found.start() :].partition(":")
        if mark:
            return f"{word[: found.start()]}{head}{mark}***"
    return word
