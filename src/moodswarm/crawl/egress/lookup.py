"""Looks up host names with the system's resolver, and remembers the answers for a short while."""

import socket
import threading
import time
from collections.abc import Callable

SECONDS = 60.0
ENTRIES = 1_000


def system_lookup(host: str) -> list[str]:
    """Return the addresses of a name, as the system prefers them.

    Raises:
        socket.gaierror: the name has no address, or no name server answered.
    """
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class CachedLookup:
    """A lookup that remembers answers; threads may share it.

    Answers are kept unjudged, so they are judged again at each use. Failures are not kept.

    Attributes:
        seconds: How long an answer is kept.
        entries: How many answers are kept; the oldest is dropped first.
    """

    def __init__(
        self,
        lookup: Callable[[str], list[str]] = system_lookup,
        *,
        seconds: float = SECONDS,
        entries: int = ENTRIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.entries = entries
        self._lookup = lookup
        self._clock = clock
        self._kept: dict[str, tuple[float, list[str]]] = {}
        self._lock = threading.Lock()

    def remembered(self, host: str) -> list[str] | None:
        """Return the remembered answer for a name, if there is one, without a lookup."""
        with self._lock:
            ends, addresses = self._kept.get(host, (0.0, []))
            return list(addresses) if addresses and self._clock() < ends else None

    def __call__(self, host: str) -> list[str]:
        """Return the addresses of a name, after a lookup if none are remembered.

        Raises:
            socket.gaierror: see `system_lookup`.
        """
        known = self.remembered(host)
        if known is not None:
            return known
        addresses = self._lookup(host)
        with self._lock:
            self._kept.pop(host, None)
            while len(self._kept) >= self.entries:
                del self._kept[next(iter(self._kept))]
            self._kept[host] = (self._clock() + self.seconds, addresses)
        return list(addresses)
