"""Lets browsers open one page of a domain at a time, no sooner than the domain's delay allows."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.core.downloader import Downloader


class Turns:
    """The downloader's slots, for requests that bypass the downloader.

    The delay is that of the domain's slot, as AutoThrottle has set it. It is counted from the last
    request, whether that was a plain one or a page in a browser.

    Args:
        delay: Seconds between pages of a domain without a slot.
        browsers: The most pages open at the same time, over all domains.
    """

    def __init__(self, delay: float, browsers: int) -> None:
        self._delay = delay
        self._browsers = asyncio.Semaphore(browsers)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._last: dict[str, float] = {}

    @asynccontextmanager
    async def take(self, downloader: "Downloader", request: "Request") -> AsyncIterator[None]:
        """Hold the domain while its page is open."""
        domain = downloader.get_slot_key(request)
        lock = self._locks.setdefault(domain, asyncio.Lock())
        # The browser is taken last, so that no browser is held for a domain that waits.
        async with lock:
            await self._wait(downloader, domain)
            async with self._browsers:
                self._note(downloader, domain)
                try:
                    yield
                finally:
                    self._note(downloader, domain)

    async def _wait(self, downloader: "Downloader", domain: str) -> None:
        while True:
            slot = downloader.slots.get(domain)
            delay = slot.download_delay() if slot else self._delay
            last = max(self._last.get(domain, 0.0), slot.lastseen if slot else 0.0)
            left = last + delay - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(left)

    def _note(self, downloader: "Downloader", domain: str) -> None:
        now = self._last[domain] = time.monotonic()
        slot = downloader.slots.get(domain)
        if slot:
            slot.lastseen = now
