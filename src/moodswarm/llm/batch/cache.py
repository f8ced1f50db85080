"""Answers that were paid for, kept in files under the hash of the request.

The folder holds 256 files of JSON lines; the first digits of the hash choose the file. An answer is
appended by one write that begins and ends with a newline. Several programs can therefore use one
folder, and a line torn by a crash does not damage any other line. Memory holds only hashes and
positions, about 150 bytes per answer. Writes are not forced to the disk: a killed program loses
nothing, and a power failure loses the answers of the last seconds. To forget all answers, delete
the folder.

Do not use a folder on a network file system, where appending is not atomic.
"""

import errno
import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moodswarm.llm.messages import Usage

_KEY_START = len(b'{"key": "')
_KEY_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A finished task, as the cache keeps it.

    Attributes:
        value: The answer as JSON, made by the task's `pack`.
        usage, cost, asks: Tokens, cost and number of calls that the answer took.
        task, template: Names for people who read the files.
    """

    value: Any
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    asks: int = 1
    task: str = ""
    template: str = ""


@dataclass
class _File:
    """What is known about a file: how much of it was read, and where its answers are."""

    read: int = 0
    places: dict[bytes, tuple[int, int]] = field(default_factory=dict)


class TaskCache:
    """A cache of finished tasks by hash; see the module's docstring.

    Args:
        folder: The folder of the files; it is created when the first answer is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._files: dict[str, _File] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Kept | None:
        """Return the task that any program kept; None if there is none, or its line is torn.

        Args:
            key: The SHA-256 hash, as 64 hex digits.
        """
        path = self._path(key)
        try:
            with self._lock, path.open("rb") as stream:
                place = self._places(path, stream.fileno()).get(bytes.fromhex(key))
                line = os.pread(stream.fileno(), place[1], place[0]) if place else b""
        except FileNotFoundError:
            return None
        return _parse(line, key)

    def put(self, key: str, kept: Kept) -> None:
        """Keep a finished task.

        Raises:
            OSError: the disk is full, or writing is not permitted.
        """
        values = {
            "key": key,
            "task": kept.task,
            "template": kept.template,
            "tokens": [kept.usage.prompt_tokens, kept.usage.completion_tokens],
            "cost": kept.cost,
            "asks": kept.asks,
            "value": kept.value,
        }
        line = b"\n" + json.dumps(values).encode() + b"\n"
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        finally:
            os.close(descriptor)

    def _path(self, key: str) -> Path:
        if len(key) != _KEY_DIGITS:
            raise ValueError(f"{key!r} is not a key; expected {_KEY_DIGITS} hex digits")
        return self._folder / f"{key[:2]}.jsonl"

    def _places(self, path: Path, descriptor: int) -> dict[bytes, tuple[int, int]]:
        """Return where the answers of a file are, including answers that were just appended."""
        known = self._files.setdefault(path.name, _File())
        size = os.fstat(descriptor).st_size
        if size < known.read:
            # The folder was deleted, and a new cache was begun in its place.
            known = self._files[path.name] = _File()
        if size > known.read:
            fresh = os.pread(descriptor, size - known.read, known.read)
            # A line without a newline is still being written, or torn; the next append ends it.
            whole = fresh[: fresh.rfind(b"\n") + 1]
            place = known.read
            for line in whole.split(b"\n")[:-1]:
                if key := _key(line):
                    known.places[key] = (place, len(line))
                place += len(line) + 1
            known.read += len(whole)
        return known.places


def _key(line: bytes) -> bytes | None:
    try:
        key = bytes.fromhex(line[_KEY_START : _KEY_START + _KEY_DIGITS].decode("ascii"))
    except ValueError:
        return None
    return key if len(key) == _KEY_DIGITS // 2 else None


def _parse(line: bytes, key: str) -> Kept | None:
    try:
        values = json.loads(line)
        if values["key"] != key:
            return None
        return Kept(
            value=values["value"],
            usage=Usage(*values["tokens"]),
            cost=values["cost"],
            asks=values["asks"],
            task=values["task"],
            template=values["template"],
        )
    except (ValueError, KeyError, TypeError):
        # The line is torn, or another version wrote it, so the answer is asked for again.
        return None
