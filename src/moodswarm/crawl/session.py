"""The state that all spiders of a crawl share: known links, paused domains, process pools."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from moodswarm.crawl.event_pipe import EventPipe
from moodswarm.crawl.frontier import Frontier
from moodswarm.crawl.spec import CrawlSpec

if TYPE_CHECKING:
    from pebble import ProcessPool

    from moodswarm.crawl.egress.proxy import EgressProxy
    from moodswarm.extraction.article import Article, Refused
    from moodswarm.extraction.processes.pool import ExtractionPool

T = TypeVar("T")

_START_SECONDS = 60.0  # how long the process for listings may take to start on a busy machine


class Pauses:
    """Domains that asked to be left alone for a while.

    Attributes:
        limit: The longest pause in seconds that a crawl waits for. If a domain asks for a longer
            one, the requests to that domain fail immediately.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._until: dict[str, float] = {}

    def pause(self, domain: str, seconds: float) -> None:
        """Leave a domain alone for some seconds; an earlier, longer pause stays in force."""
        self._until[domain] = max(time.monotonic() + seconds, self._until.get(domain, 0.0))

    def remaining(self, domain: str) -> float:
        """Return how many seconds of the domain's pause are left, or 0."""
        return max(0.0, self._until.get(domain, 0.0) - time.monotonic())


class Session:
    """The shared state of one crawl.

    Attributes:
        events: Where events go; None when a spider is run by hand.
        stopping: Set when the crawl should end soon; long work checks it.
    """

    def __init__(self, spec: CrawlSpec, events: EventPipe | None = None) -> None:
        self.spec = spec
        self.events = events
        self.stopping = threading.Event()
        self.pauses = Pauses(spec.manners.max_retry_after_seconds)
        self.frontier = Frontier(Path(spec.links), spec.limits.pages_per_source)
        self._opened = ExitStack()

    @classmethod
    def by_hand(cls, spec: CrawlSpec, known: str) -> "Session":
        """Open a session for `scrapy crawl`; `known` is the content of the file of known links."""
        folder = TemporaryDirectory(prefix="moodswarm-")
        links = Path(folder.name, "links.jsonl")
        links.write_text(known, encoding="utf-8")
        session = cls(spec.model_copy(update={"links": str(links)}))
        session._opened.callback(folder.cleanup)
        return session

    @property
    def github_token(self) -> str | None:
        """The GitHub token, which is read from the environment when needed and never stored."""
        return os.environ.get(self.spec.github_token_variable) or None

    async def extract(self, body: bytes, url: str, content_type: str | None) -> "Article | Refused":
        """Extract a page in the pool; wait first if too many pages are in the pool already."""
        async with self._in_flight:
            return await asyncio.wrap_future(self._pages.submit(body, url, content_type))

    async def read(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function that reads listings, in a separate process that can be killed.

        This is necessary because a feed may be hostile, or very long.

        Raises:
            TimeoutError: if the call took longer than a page may take.
            MemoryError: if the call needed more memory than a page may need.
        """
        seconds = self.spec.extraction.page_seconds
        async with self._listing_turn:
            future: Future[T] = self._listings.schedule(function, args=arguments, timeout=seconds)
            try:
                async with asyncio.timeout(seconds + _START_SECONDS):
                    return await asyncio.wrap_future(future)
            except TimeoutError:
                # Normally the pool itself ends a slow call. If it did not do so, it is broken, and
                # the next call starts a new pool.
                if future.cancelled():
                    self._listings.stop()  # type: ignore[no-untyped-call]
                    del self._listings
                raise

    def proxy(self) -> str:
        """Return the address of the egress proxy for browsers and git; the first call starts it."""
        return self._proxy.url

    def close(self) -> None:
        """End the pools and the proxy, if they were started."""
        self.stopping.set()
        self._opened.close()

    @cached_property
    def _in_flight(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(self._pages.in_flight)

    @cached_property
    def _listing_turn(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(1)

    @cached_property
    def _pages(self) -> "ExtractionPool":
        from moodswarm.extraction.processes.pool import ExtractionPool

        limits = self.spec.extraction
        pool = ExtractionPool(
            limits.processes, limits.page_seconds, limits.html_bytes, limits.memory_mib
        )
        self._opened.callback(pool.close)
        return pool

    @cached_property
    def _listings(self) -> "ProcessPool":
        from pebble import ProcessPool

        from moodswarm.extraction.processes.worker import limit_memory

        # Listings are few, so one process is enough. It is spawned, not forked, so that it inherits
        # neither the reactor nor threads.
        pool = ProcessPool(
            max_workers=1,
            context=get_context("spawn"),
            initializer=limit_memory,
            initargs=[self.spec.extraction.memory_mib],
        )
        self._opened.callback(pool.join)
        self._opened.callback(pool.stop)
        return pool

    @cached_property
    def _proxy(self) -> "EgressProxy":
        from moodswarm.crawl.egress import EgressPolicy
        from moodswarm.crawl.egress.proxy import EgressProxy

        return self._opened.enter_context(EgressProxy(EgressPolicy.from_spec(self.spec.egress)))
