"""The request for a page that needs a browser."""

from collections.abc import Callable
from typing import Any

from scrapy import Request
from scrapy_selenium import SeleniumRequest  # type: ignore[import-untyped]

WaitUntil = Callable[[Any], Any]


class BrowserRequest(SeleniumRequest):  # type: ignore[misc]  # the package has no types
    """A page to be opened in Chromium.

    scrapy-selenium takes a second positional argument for a wait time and forgets all of its own
    at `copy()`, and so at every retry; here they are keywords and attributes like any other.
    Cookies of the request are not sent: nothing is read that needs a login.

    Args:
        url: http or https.
        wait_time: Seconds `wait_until` may take; within the time of the page.
        wait_until: A condition of `selenium.webdriver.support.expected_conditions`.
        screenshot: Whether a PNG is put into `request.meta["screenshot"]`.
        script: JavaScript to run when the page is at rest, before it is read.
        scrolls: Screens to scroll down at most; `None` is what the crawl's settings say.
        keywords: As for `scrapy.Request`.
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
