"""Run one Scrapy crawl with the guard: `python fetch.py '{"urls": [...], ...}'` prints JSON.

A reactor runs only once per process, so each crawl in these tests has its own process.
"""

import json
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import scrapy
import scrapy.core.downloader.contextfactory  # early, as in `moodswarm.crawl.child`
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response
from twisted.python.failure import Failure

from moodswarm.crawl.egress import EgressPolicy, EgressRefused
from moodswarm.crawl.egress import settings as guard
from moodswarm.crawl.egress.lookup import CachedLookup
from moodswarm.crawl.egress.resolver import EgressResolver
from moodswarm.crawl.spec import Egress

arrived = threading.Event()
asked: list[str] = []
answers: dict[str, Any] = {}


def turning_lookup(host: str) -> list[str]:
    """Answer `turns.test` with a public address first and then with loopback."""
    asked.append(host)
    if host == "turns.test":
        return ["93.184.216.34"] if asked.count(host) == 1 else ["127.0.0.1"]
    if host == "slow.test":
        arrived.wait(20)  # until another page has arrived
    return ["127.0.0.1"]


class TurningResolver(EgressResolver):
    """The guard's resolver, with a name server that cannot be trusted and without a cache."""

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> "TurningResolver":
        rules = EgressPolicy.from_spec(crawler.settings["EGRESS"])
        lookup = CachedLookup(turning_lookup, seconds=0)
        timeout = crawler.settings.getfloat("DNS_TIMEOUT")
        return cls(reactor, EgressPolicy(rules.allow, rules.hosts, lookup), timeout)


class FetchSpider(scrapy.Spider):
    """Requests every address and keeps the results."""

    name = "fetch"

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for url in asking["urls"]:
            meta = {"proxy": asking["proxy"]} if url in asking.get("proxied", []) else {}
            yield scrapy.Request(url, self.parse, errback=self.failed, dont_filter=True, meta=meta)

    def parse(self, response: Response) -> None:
        arrived.set()
        answers[response.request.url] = [str(response.status), str(response.ip_address)]

    def failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CannotResolveHostError):
            arrived.set()  # let the abandoned thread end
        reason = error.reason if isinstance(error, EgressRefused) else type(error).__name__
        answers[failure.request.meta.get("redirect_urls", [failure.request.url])[0]] = [
            reason,
            str(error),
        ]


asking = json.loads(sys.argv[1])
process = AsyncCrawlerProcess({
    **guard.guarded_settings(Egress.model_validate(asking["egress"])),
    "DOWNLOADER_MIDDLEWARES": {guard.MIDDLEWARE: guard.MIDDLEWARE_ORDER},
    "LOG_LEVEL": "ERROR",
    "RETRY_ENABLED": False,
    "EXTENSIONS_BASE": {},
    "ROBOTSTXT_OBEY": True,
    **({"TWISTED_DNS_RESOLVER": TurningResolver} if asking.get("turning") else {}),
    **asking.get("settings", {}),
})  # fmt: skip
crawl = process.crawl(FetchSpider)
process.start()
if not crawl.cancelled() and crawl.exception():
    answers["error"] = str(crawl.exception())
print(json.dumps({"answers": answers, "asked": asked}))  # noqa: T201
