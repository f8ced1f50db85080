"""Obeys robots.txt, and requests nothing from a host whose robots.txt is unreachable (RFC 9309).

Scrapy's own middleware allows everything if the request for robots.txt fails.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from protego import Protego
from scrapy import Request
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http.request import NO_CALLBACK

from moodswarm.crawl.middlewares.failures import failure_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_LONGEST = 512 * 1024  # bytes; RFC 9309 requires a crawler to read at least 500 KiB
_PRIORITY = 1_000


class RobotsForbidden(IgnoreRequest):
    """The site's robots.txt forbids this page."""

    reason = "robots"

    def __init__(self, url: str) -> None:
        self.detail = f"{urljoin(url, '/robots.txt')} forbids it"
        super().__init__(self.detail)


class RobotsUnreachable(IgnoreRequest):
    """The site's robots.txt cannot be read, so what it allows is unknown; `reason` says why."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = f"robots.txt could not be read, so nothing is asked for: {detail}"
        super().__init__(self.detail)


@dataclass(frozen=True, slots=True)
class _Rules:
    robots: Protego | None = None
    unreachable: tuple[str, str] | None = None


class RobotsMiddleware:
    """Requests robots.txt from each host once, and obeys it."""

    def __init__(self, crawler: "Crawler") -> None:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured("ROBOTSTXT_OBEY is off")
        self._crawler = crawler
        self._agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"]
        self._hosts: dict[str, asyncio.Future[_Rules]] = {}

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "RobotsMiddleware":
        """Build the middleware for a crawler."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let a request pass if robots.txt allows it.

        Raises:
            RobotsForbidden: if robots.txt forbids the request.
            RobotsUnreachable: if the server answers the request for robots.txt with a server error,
                or not at all.
        """
        if request.meta.get("dont_obey_robotstxt"):
            return
        rules = await self._rules(request.url)
        if rules.unreachable is not None:
            raise RobotsUnreachable(*rules.unreachable)
        if rules.robots is not None and not rules.robots.can_fetch(request.url, self._agent):
            raise RobotsForbidden(request.url)

    async def sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that are named in the robots.txt of a page's host."""
        rules = await self._rules(url)
        return list(rules.robots.sitemaps) if rules.robots is not None else []

    async def _rules(self, url: str) -> _Rules:
        address = urljoin(url, "/robots.txt")
        asked = self._hosts.get(address)
        if asked is None:
            asked = self._hosts[address] = asyncio.ensure_future(self._ask(address))
        # If one request gives up waiting, the others still get the answer.
        return await asyncio.shield(asked)

    async def _ask(self, address: str) -> _Rules:
        request = Request(
            address,
            priority=_PRIORITY,
            meta={"dont_obey_robotstxt": True},
            callback=NO_CALLBACK,
        )
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001  # it is reported with every visit to this host
            failure = failure_of(error)
            return _Rules(unreachable=(failure.reason, failure.detail))
        if response.status >= 500:  # noqa: PLR2004
            detail = f"{address} answers {response.status}"
            return _Rules(unreachable=("robots_unreachable", detail))
        if response.status != 200:  # noqa: PLR2004
            return _Rules()
        return _Rules(Protego.parse(response.body[:_LONGEST].decode("utf-8", "replace")))
