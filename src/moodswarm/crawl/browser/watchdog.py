"""Runs a browser's driver and, once the crawler is gone, ends everything that the driver started.

    python -I -S watchdog.py FOLDER MEMORY_MIB PROGRAM [ARGUMENT ...]

This is a separate program with nothing but the standard library, so that it starts fast and
survives a `kill -9` of the crawler. It ends everything it started and removes FOLDER when its
standard input closes, its parent dies, the program ends, or memory grows over the limit. On Linux
it also finds processes that have left the process group, as Chromium's crash reporter does.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_SET_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
#: The exit code if memory grew over the limit.
MEMORY_EXIT = 77
_LOOK_SECONDS = 1.0
_END_SECONDS = 5.0
_LINUX = sys.platform == "linux"


def main() -> None:
    """Run the program until it ends or has to be ended."""
    folder, memory_mib, *program = sys.argv[1:]
    parent, code = os.getppid(), 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    _prctl(_SET_CHILD_SUBREAPER, 1)  # orphans of the browser become our children
    try:
        child = subprocess.Popen(  # noqa: S603  # the driver that find_browser found
            program,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # there is one thread
        )
        while child.poll() is None and os.getppid() == parent:
            if select.select([0], [], [], _LOOK_SECONDS)[0]:
                break
            below = set(_descendants()) - {child.pid}
            if below and not any(_alive(pid) for pid in below):
                break  # the driver would wait for ever for a browser that ended while it started
            if _memory_mib(below) > int(memory_mib):
                code = MEMORY_EXIT
                break
    finally:
        gone = _end_descendants()
        shutil.rmtree(folder, ignore_errors=True)
        if not gone and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)  # without /proc, end the rest and ourselves
    raise SystemExit(code)


def _stop(_number: int, _frame: object) -> None:
    raise SystemExit(1)


def _die_with_parent() -> None:
    _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if _LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _descendants() -> list[int]:
    """Return the ids of all processes below this one, from one pass over /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat") if _LINUX else []:
        with suppress(OSError):
            # The name in brackets may contain anything; the parent is the second field after it.
            parent = stat.read_bytes().rpartition(b")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found, queue = [], [os.getpid()]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    return False


def _memory_mib(pids: set[int]) -> float:
    kib = 0
    for pid in pids:
        with suppress(OSError, ValueError):
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
            kib += int(status.partition("RssAnon:")[2].split()[0]) if "RssAnon:" in status else 0
    return kib / 1024


def _end_descendants() -> bool:
    """Kill and reap until no child is left; children forked meanwhile are found in the next round.

    Returns:
        Whether all children are certain to be gone.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    deadline = time.monotonic() + _END_SECONDS
    while _LINUX and time.monotonic() < deadline:
        for pid in _descendants():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        time.sleep(0.01)
    return False


if __name__ == "__main__":
    main()
