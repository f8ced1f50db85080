"""The part of the browser code that every crawl loads; plain pages pass through it."""

from typing import TYPE_CHECKING, Self

from moodswarm.crawl.spec import Browser

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import HtmlResponse

    from moodswarm.crawl.browser.middleware import BrowserMiddleware

MIDDLEWARE = "moodswarm.crawl.browser.gate.BrowserGate"
#: The last middleware, after the egress guard (10), robots.txt (100) and every other check.
MIDDLEWARE_ORDER = 950


class BrowserGate:
    """Passes `BrowserRequest`s to the `BrowserMiddleware`, which it loads with the first of them.

    Most crawls never need a browser, and loading Selenium takes 0.15 CPU-seconds.
    """

    def __init__(self, crawler: "Crawler") -> None:
        self._crawler = crawler
        self._browser: BrowserMiddleware | None = None

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> Self:
        """Build the gate; Selenium is not loaded before the first page that needs a browser.

        Raises:
            TypeError: the setting `MOODSWARM_BROWSER` is not a `Browser`, or there is no proxy.
        """
        browser = crawler.settings.get("MOODSWARM_BROWSER")
        if not isinstance(browser, Browser):
            raise TypeError(f"setting MOODSWARM_BROWSER: expected a Browser, got {browser!r}")
        if not callable(crawler.settings.get("MOODSWARM_BROWSER_PROXY")):
            raise TypeError(
                "setting MOODSWARM_BROWSER_PROXY: expected a function that starts the proxy"
            )
        return cls(crawler)

    async def process_request(self, request: "Request") -> "HtmlResponse | None":
        """Answer a browser request; leave any other to the downloader.

        Raises:
            BrowserMissing, PageRefused, PageFailed, PageTimedOut: see `BrowserMiddleware`.
        """
        # Only a `BrowserRequest` has this attribute. Naming its class would load Selenium.
        if not hasattr(request, "scrolls"):
            return None
        if self._browser is None:
            from moodswarm.crawl.browser.middleware import BrowserMiddleware

            self._browser = BrowserMiddleware.from_crawler(self._crawler)
        return await self._browser.process_request(request)
