"""Run one crawl: `python crawl_site.py SETTINGS_JSON PLAIN_URLS BROWSER_URLS`.

Prints JSON: the pages in the order in which they came, and the longest delay of the event loop.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import scrapy.core.downloader.contextfactory  # noqa: F401  # early, as in `moodswarm.crawl.child`
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess

from moodswarm.crawl.browser.gate import MIDDLEWARE, MIDDLEWARE_ORDER
from moodswarm.crawl.browser.requests import BrowserRequest
from moodswarm.crawl.egress import EgressPolicy
from moodswarm.crawl.egress.proxy import EgressProxy
from moodswarm.crawl.spec import Browser, Egress

came: list[dict[str, Any]] = []
lag = 0.0


class SiteSpider(Spider):
    name = "site"
    plain: tuple[str, ...] = ()
    browser: tuple[str, ...] = ()

    async def start(self) -> AsyncIterator[Any]:
        self.watch = asyncio.create_task(watch())
        for url in self.browser:
            yield BrowserRequest(
                url, scrolls=1, callback=self.parse, errback=self.failed, dont_filter=True
            )
        for url in self.plain:
            yield Request(url, callback=self.parse, errback=self.failed, dont_filter=True)

    def parse(self, response: Any) -> None:
        kept = getattr(response.request, "scrolls", None)
        came.append(
            {
                "url": response.request.url,
                "at": response.url,
                "status": response.status,
                "flags": response.flags,
                "scrolls": kept,
                "text": " ".join(response.css("p::text").getall()),
            }
        )

    def failed(self, failure: Any) -> None:
        error = failure.value
        came.append(
            {"url": failure.request.url, "reason": getattr(error, "reason", type(error).__name__)}
        )


async def watch() -> None:
    """Measure how late a timer is."""
    global lag  # noqa: PLW0603
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        lag = max(lag, time.monotonic() - before - 0.01)


def main() -> None:
    settings, plain, browser = (json.loads(argument) for argument in sys.argv[1:])
    policy = EgressPolicy.from_spec(Egress(allow=tuple(settings.pop("allow"))))
    options = Browser(**settings.pop("browser"))
    with EgressProxy(policy) as proxy:
        crawl = AsyncCrawlerProcess(
            {
                "DOWNLOADER_MIDDLEWARES": {MIDDLEWARE: MIDDLEWARE_ORDER},
                "MOODSWARM_BROWSER": options,
                "MOODSWARM_BROWSER_PROXY": lambda: proxy,
                "DOWNLOAD_MAXSIZE": 1_000_000,
                "USER_AGENT": "MoodSwarm test",
                "LOG_LEVEL": "WARNING",
                "EXTENSIONS_BASE": {},
                "CONCURRENT_REQUESTS": 32,
                **settings,
            }
        )
        crawl.crawl(SiteSpider, plain=tuple(plain), browser=tuple(browser))
        crawl.start()
    sys.stdout.write(json.dumps({"came": came, "lag": lag}))


if __name__ == "__main__":
    main()
