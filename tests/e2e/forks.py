"""Processes that are forked from a server that has imported everything once.

Starting a process takes two CPU-seconds for imports, forking one takes some milliseconds. A fork
runs the same code, so it suffices if a test is about what happens in a process or when a process is
killed, but not if it is about the command that starts the process.
"""

import logging
import multiprocessing
import os
import subprocess
from collections.abc import Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from moodswarm.crawl import parent


def started_server() -> ForkServerContext:
    """Return the context of this process's only fork server, which is running."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["e2e.preloaded"])
    with pytest.MonkeyPatch.context() as patched:
        # The server does its imports before it receives the import path of this process.
        patched.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        forkserver.ensure_running()
    return context


class ForkedCrawler:
    """Implements what `crawl.parent` uses of `subprocess.Popen`, for a crawler that is forked."""

    def __init__(self, command: Sequence[str], *, pass_fds: Sequence[int], **_options: Any) -> None:
        specification = command[len(parent.CHILD_COMMAND)]
        with Connection(os.dup(pass_fds[0]), readable=False) as events:
            self._process = started_server().Process(target=_crawl, args=(specification, events))
            self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("crawl", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


def _crawl(specification: str, events: Connection) -> None:
    from moodswarm.crawl import child

    logging.getLogger().handlers.clear()  # Kedro's handlers, which a real crawler does not have
    child.main([specification, "--events-fd", str(events.fileno())])
