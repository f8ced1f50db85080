"""Pages that show nothing without JavaScript, read by Chromium through scrapy-selenium.

scrapy-selenium 0.0.7 provides the request and the middleware. Both are extended here: Selenium 4,
work outside the reactor's thread, cookies that no other page sees, real HTTP statuses, and limits.

    settings["DOWNLOADER_MIDDLEWARES"][MIDDLEWARE] = MIDDLEWARE_ORDER
    settings["MOODSWARM_BROWSER"] = spec.browser
    settings["MOODSWARM_BROWSER_PROXY"] = start_egress_proxy  # called at the first page

`USER_AGENT` and `DOWNLOAD_MAXSIZE` apply as for any other page.
"""

from moodswarm.crawl.browser.chromium import BrowserPaths, find_browser
from moodswarm.crawl.browser.errors import (
    BrowserMissing,
    PageFailed,
    PageRefused,
    PageTimedOut,
)
from moodswarm.crawl.browser.middleware import MIDDLEWARE, MIDDLEWARE_ORDER, BrowserMiddleware
from moodswarm.crawl.browser.requests import BrowserRequest

__all__ = [
    "MIDDLEWARE",
    "MIDDLEWARE_ORDER",
    "BrowserMiddleware",
    "BrowserMissing",
    "BrowserPaths",
    "BrowserRequest",
    "PageFailed",
    "PageRefused",
    "PageTimedOut",
    "find_browser",
]
