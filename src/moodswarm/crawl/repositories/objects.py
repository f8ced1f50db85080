"""Reads the contents of files from a clone, with one `git cat-file --batch`."""

import os
import selectors
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from moodswarm.crawl.repositories.errors import RepositoryError
from moodswarm.crawl.repositories.git import Git, end, kill
from moodswarm.crawl.repositories.text import LeftOut, text_of
from moodswarm.crawl.repositories.tree import Entry

_WAIT_SECONDS = 0.2
_CHUNK = 1 << 16


class Objects:
    """The contents of a clone.

    Args:
        git: Runs git; the reading also counts against its budget.
        options: Options for git that name the clone.
    """

    def __init__(self, git: Git, options: Sequence[str]) -> None:
        self._git = git
        self._reading = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = git.start(*options, "cat-file", "--batch")

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count the time that the block takes against the budget."""
        self._git.budget.resume()
        try:
            yield
            self._git.budget.check()
        finally:
            self._git.budget.pause()

    def text(self, entry: Entry) -> str | None:
        """Return the text of a file; None if it is not a text file."""
        text = text_of(self.read(entry), None)
        return None if isinstance(text, LeftOut) else text

    def read(self, entry: Entry) -> bytes:
        """Return the content of a file; its size must be the one that `git ls-tree` listed."""
        with self._reading:
            child = self._child
            if child is None or child.stdin is None or child.stdout is None:
                raise RepositoryError("cancelled", "the repository is closed")
            try:
                child.stdin.write(f"{entry.object_id}\n".encode())
                return self._answer(entry, child.stdout.fileno())
            except OSError as error:
                raise RepositoryError("git_failed", "git ended while files were read") from error

    def close(self) -> None:
        """End git, even while another thread reads; closing twice is fine."""
        if self._child is not None:
            kill(self._child)  # ends a read in another thread, so that its pipe can be closed
            with self._reading:
                end(self._child)
                self._child = None

    def _answer(self, entry: Entry, pipe: int) -> bytes:
        expected = f"{entry.object_id} blob {entry.size}\n".encode()
        wanted = len(expected) + entry.size + 1
        answer = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while len(answer) < wanted:
                self._git.budget.check()
                if not selector.select(_WAIT_SECONDS):
                    continue
                part = os.read(pipe, min(_CHUNK, wanted - len(answer)))
                answer += part
                if not part or not answer.startswith(expected[: len(answer)]):
                    raise RepositoryError("git_failed", f"{entry.path!r:.80} cannot be read")
        return bytes(answer[len(expected) : -1])
