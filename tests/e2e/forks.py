"""Processes that are forked from a server which has imported everything once.

A process of its own costs two CPU-seconds of imports, a fork some milliseconds. It runs the same
code, so it serves where a test is about what happens in a process, or when one is killed, but not
about its command.
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
    """Return the context of the one server that this process has."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["e2e.preloaded"])
    with pytest.MonkeyPatch.context() as patched:
        # The server imports before it learns of this process's own path.
        patched.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        forkserver.ensure_running()
    return context


class ForkedCrawler:
    """The part of `subprocess.Popen` that `crawl.parent` uses, for a crawler that is forked."""

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

    logging.getLogger().handlers.clear()  # Kedro's, which a crawler does not have
    child.main([specification, "--events-fd", str(events.fileno())])
