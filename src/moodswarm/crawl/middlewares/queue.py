"""The queue of requests, which treats domains fairly and keeps to the pauses that they ask for."""

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from scrapy.pqueues import DownloaderAwarePriorityQueue
from scrapy.utils.asyncio import CallLaterResult, call_later

from moodswarm.crawl.middlewares.retry import NOT_BEFORE

if TYPE_CHECKING:
    from scrapy import Request

    from moodswarm.crawl.session import Pauses


class PatientQueue(DownloaderAwarePriorityQueue):
    """Hands out the next request that may be sent now.

    Scrapy's own queue hands out everything it has. The requests of a slow domain then fill the
    downloader, and all other domains wait for that one. Here a domain holds only the places that it
    can use, and a request that has to wait holds none: a timer keeps it outside the downloader.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._timers: set[CallLaterResult] = set()
        self._asleep: set[str] = set()

    def pop(self) -> "Request | None":
        """Return a request to the domain with the fewest requests under way; None if all wait."""
        while (domain := self._choose()) is not None:
            request = self._take(domain)
            if request is None:
                continue
            pause = self._pauses.remaining(domain)
            wait = max(pause, request.meta.pop(NOT_BEFORE, 0.0) - time.monotonic())
            # If the pause is too long, the request goes out: the retry middleware refuses it.
            if wait <= 0 or pause > self._pauses.limit:
                return request
            self._hold(request, domain, wait)
        return None

    def close(self) -> dict[str, list[int]]:
        """Forget the waiting requests; their links are still in the ledger."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        return super().close()

    def __len__(self) -> int:
        return super().__len__() + len(self._timers)

    def _choose(self) -> str | None:
        downloader = self.crawler.engine.downloader
        busy = Counter(map(downloader.get_slot_key, downloader.active))
        free = [
            domain
            for domain in self.pqueues
            if busy[domain] < downloader.domain_concurrency and domain not in self._asleep
        ]
        # Among equals, `min` takes the domain that had its turn longest ago, see `_take`.
        return min(free, key=busy.__getitem__, default=None)

    def _take(self, domain: str) -> "Request | None":
        queue = self.pqueues.pop(domain)
        request = queue.pop()
        if len(queue):
            self.pqueues[domain] = queue
        else:
            queue.close()
        return request

    def _hold(self, request: "Request", domain: str, wait: float) -> None:
        paused = self._pauses.remaining(domain) > 0
        if paused:  # the domain's other requests stay queued until this one is released
            self._asleep.add(domain)

        def release() -> None:
            self._timers.discard(timer)
            if paused:
                self._asleep.discard(domain)
            self.crawler.engine.crawl(request)

        timer = call_later(wait, release)
        self._timers.add(timer)

    @property
    def _pauses(self) -> "Pauses":
        pauses: Pauses = self.crawler.spider.session.pauses  # type: ignore[union-attr]
        return pauses
