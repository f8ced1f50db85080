"""Scrapy's side of the browser: browser requests go to the pool, and all others pass through."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self

from scrapy import signals
from scrapy.http import HtmlResponse
from scrapy_selenium import SeleniumMiddleware  # type: ignore[import-untyped]

from moodswarm.crawl.browser.chromium import Setup, find_browser
from moodswarm.crawl.browser.errors import BrowserMissing
from moodswarm.crawl.browser.page import Page, Visit, check_scheme
from moodswarm.crawl.browser.pool import BrowserPool
from moodswarm.crawl.browser.requests import BrowserRequest
from moodswarm.crawl.browser.turns import Turns
from moodswarm.crawl.spec import Browser

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class Proxy(Protocol):
    """The part of `moodswarm.crawl.egress.proxy.EgressProxy` that is used here."""

    @property
    def url(self) -> str:
        """The address at which the proxy listens."""

    def refusal(self, url: str) -> str | None:
        """Return why an address was refused, if it was."""


class BrowserMiddleware(SeleniumMiddleware):  # type: ignore[misc]  # the package has no types
    """Opens `BrowserRequest`s in Chromium, in threads, and keeps to the domain's delay.

    It replaces two parts of scrapy-selenium's middleware: the start of the driver, and the blocking
    `process_request`. Its settings are `MOODSWARM_BROWSER` (a `Browser`), `USER_AGENT`,
    `DOWNLOAD_MAXSIZE`, `DOWNLOAD_DELAY`, and `MOODSWARM_BROWSER_PROXY`, a function that starts the
    egress proxy and returns it or its address. The function is called once, at the first page;
    whoever provides the function also ends the proxy.
    """

    def __init__(self, crawler: "Crawler", browser: Browser) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._browser = browser
        self._start_proxy: Callable[[], Proxy | str] = settings["MOODSWARM_BROWSER_PROXY"]
        self._proxy: Proxy | str | None = None
        self._turns = Turns(settings.getfloat("DOWNLOAD_DELAY"), browser.drivers)
        self._pool = BrowserPool(browser.drivers)

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> Self:
        """Build the middleware from settings that `BrowserGate` has checked, without a browser."""
        middleware = cls(crawler, crawler.settings["MOODSWARM_BROWSER"])
        crawler.signals.connect(middleware.close, signals.spider_closed)
        return middleware

    async def process_request(self, request: "Request") -> HtmlResponse | None:
        """Answer a browser request; leave any other to the downloader.

        Raises:
            BrowserMissing: there is no Chromium, or browsers are switched off.
            PageRefused, PageFailed, PageTimedOut: see these classes.
        """
        if not isinstance(request, BrowserRequest):
            return None
        check_scheme(request.url)
        setup = self._setup()
        downloader = self._crawler.engine.downloader
        async with self._turns.take(downloader, request):
            loop = asyncio.get_running_loop()
            page = await loop.run_in_executor(
                self._pool.threads, self._pool.open, setup, self._visit(request)
            )
        if page.screenshot:
            request.meta["screenshot"] = page.screenshot
        return _response(page, request)

    async def close(self) -> None:
        """End all browsers."""
        await asyncio.get_running_loop().run_in_executor(None, self._pool.close)

    def _setup(self) -> Setup:
        """Find the browser and, at the first page, start the proxy."""
        if self._browser.use == "never":
            raise BrowserMissing("browsers are switched off (browser.use)")
        paths = find_browser()
        if paths is None:
            raise BrowserMissing("chromium or chromedriver is not on PATH")
        if self._proxy is None:
            self._proxy = self._start_proxy()
        return Setup(
            browser=paths.browser,
            driver=paths.driver,
            user_agent=self._crawler.settings["USER_AGENT"],
            proxy=self._proxy if isinstance(self._proxy, str) else self._proxy.url,
            refusal=_says_nothing if isinstance(self._proxy, str) else self._proxy.refusal,
            page_seconds=self._browser.page_seconds,
            page_bytes=self._crawler.settings.getint("DOWNLOAD_MAXSIZE"),
        )

    def _visit(self, request: BrowserRequest) -> Visit:
        return Visit(
            url=request.url,
            scrolls=self._browser.scrolls if request.scrolls is None else request.scrolls,
            wait_time=request.wait_time,
            wait_until=request.wait_until,
            script=request.script,
            screenshot=request.screenshot,
        )


def _says_nothing(_url: str) -> None:
    """Return no reason: only the proxy's address is known, so the proxy cannot be asked."""


def _response(page: Page, request: BrowserRequest) -> HtmlResponse:
    return HtmlResponse(
        page.url,
        status=page.status,
        body=page.html,
        encoding="utf-8",
        flags=["browser"],
        request=request,
    )
