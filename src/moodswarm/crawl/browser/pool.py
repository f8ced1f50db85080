"""A few browsers, each started when it is first needed and then reused."""

import threading
from concurrent.futures import ThreadPoolExecutor

from moodswarm.crawl.browser.chromium import Setup
from moodswarm.crawl.browser.driver import Driver
from moodswarm.crawl.browser.errors import BrowserMissing, PageFailed, PageTimedOut
from moodswarm.crawl.browser.page import Page, Visit, open_page

#: A browser's memory grows with the pages it has shown, so the browser is replaced after this many.
_PAGES_OF_A_DRIVER = 100


class BrowserPool:
    """Threads with one browser each; nothing here touches the reactor."""

    def __init__(self, drivers: int) -> None:
        self.threads = ThreadPoolExecutor(drivers, thread_name_prefix="browser")
        self._lock = threading.Lock()
        self._idle: list[Driver] = []
        self._busy: set[Driver] = set()
        self._closed = False
        self._ever_started = False
        self._missing: BrowserMissing | None = None

    def open(self, setup: Setup, visit: Visit) -> Page:
        """Read a page with any browser; this blocks, so call it in one of `threads`.

        Raises:
            BrowserMissing: no browser starts; after that, none is tried again.
            PageRefused, PageFailed, PageTimedOut: see `open_page`.
        """
        driver = self._take(setup)
        try:
            return open_page(driver, visit)
        finally:
            self._give_back(driver)

    def close(self) -> None:
        """End all browsers, even those at work, and wait for their threads."""
        with self._lock:
            self._closed = True
            drivers = [*self._idle, *self._busy]
        for driver in drivers:
            driver.abandon()
        for driver in drivers:
            driver.close()
        self.threads.shutdown(wait=True, cancel_futures=True)

    def _take(self, setup: Setup) -> Driver:
        with self._lock:
            if self._missing:
                raise self._missing
            driver = self._idle.pop() if self._idle else None
        driver = driver or self._start(setup)
        with self._lock:
            self._busy.add(driver)
            closed = self._closed
        if closed:
            driver.close()
        return driver

    def _start(self, setup: Setup) -> Driver:
        for last in (False, True):
            try:
                driver = Driver(setup)
            except (PageFailed, PageTimedOut) as error:
                if self._ever_started:
                    raise
                if last:
                    self._missing = BrowserMissing(f"Chromium does not start ({error.detail})")
                    raise self._missing from error
            else:
                self._ever_started = True
                return driver
        raise AssertionError("unreachable")

    def _give_back(self, driver: Driver) -> None:
        with self._lock:
            self._busy.discard(driver)
            usable = not (driver.closed or self._closed) and driver.pages < _PAGES_OF_A_DRIVER
            if usable:
                self._idle.append(driver)
        if not usable:
            driver.close()
