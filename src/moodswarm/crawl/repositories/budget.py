"""How long reading a repository may take, and whether it was cancelled."""

import threading
import time

from moodswarm.crawl.repositories.errors import RepositoryError


class Budget:
    """The time that git and the reading may take; time that the caller spends does not count.

    Args:
        seconds: The limit.
        cancelled: An event that another thread sets to end the work.
    """

    def __init__(self, seconds: float, cancelled: threading.Event | None = None) -> None:
        self._seconds = seconds
        self._left = seconds
        self._since: float | None = None
        self._cancelled = cancelled

    def resume(self) -> None:
        """Start counting the time."""
        if self._since is None:
            self._since = time.monotonic()

    def pause(self) -> None:
        """Stop counting the time while the caller works."""
        if self._since is not None:
            self._left -= time.monotonic() - self._since
            self._since = None

    def check(self) -> None:
        """Raise an error if the time is used up or the work was cancelled.

        Raises:
            RepositoryError: with the reason `timeout` or `cancelled`.
        """
        if self._cancelled is not None and self._cancelled.is_set():
            raise RepositoryError("cancelled", "the crawl is ending")
        used = 0.0 if self._since is None else time.monotonic() - self._since
        if used >= self._left:
            raise RepositoryError("timeout", f"took more than {self._seconds:g} seconds")
