"""The request for a page that needs a browser."""

from collections.abc import Callable
from typing import Any

from scrapy import Request
from scrapy_selenium import SeleniumRequest  # type: ignore[import-untyped]

WaitUntil = Callable[[Any], Any]


class BrowserRequest(SeleniumRequest):  # type: ignore[misc]  # the package has no types
    """A page to be opened in Chromium.

    scrapy-selenium reads a second positional argument as a wait time, and loses its own arguments
    in `copy()`, and so at every retry. Here these arguments are keywords and attributes like any
    other. The request's cookies are not sent, because nothing is read that needs a login.

    Args:
        url: An http or https address.
        wait_time: Seconds that `wait_until` may take, within the time for the page.
        wait_until: A condition from `selenium.webdriver.support.expected_conditions`.
        screenshot: Whether `request.meta["screenshot"]` gets a PNG of the page.
        script: JavaScript to run when the page is at rest, before it is read.
        scrolls: The most screens to scroll down; None for the crawl's setting.
        keywords: Passed on to `scrapy.Request`.
    """

    attributes: tuple[str, ...] = (
        *Request.attributes, "wait_time", "wait_until", "screenshot", "script", "scrolls",
    )  # fmt: skip

    def __init__(
        self,
        url: str,
        *,
        wait_time: float | None = None,
        wait_until: WaitUntil | None = None,
        screenshot: bool = False,
        script: str | None = None,
        scrolls: int | None = None,
        **keywords: Any,
    ) -> None:
        self.scrolls = scrolls
        super().__init__(wait_time, wait_until, screenshot, script, url=url, **keywords)
