"""The base of all spiders: requests the links of its sources and ends each visit with an event.

The spider for a platform adds the way to read its listings (`address`, `parse_listing`).
`PageSpider` reads pages, `RepositorySpider` reads repositories.
"""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response

from moodswarm.crawl.events import LinkFound, Visited
from moodswarm.crawl.frontier import link_hash
from moodswarm.crawl.link import Link
from moodswarm.crawl.middlewares.failures import failure_of
from moodswarm.crawl.session import Session
from moodswarm.crawl.source_hosts import SourceHosts, is_root
from moodswarm.crawl.spec import CrawlSpec, KnownLink, Platform, Source
from moodswarm.records.ledger import AskedRole

Output = AsyncIterator[LinkFound | Visited | Request]

logger = logging.getLogger(__name__)

_GONE = (404, 410)
_AT_ONCE = 256  # links that are handled before other work gets its turn
_LOOK_SECONDS = 0.05
_BEYOND = "pages_per_source"
_MOST_BEYOND = 100_000  # links over the limit that are remembered, so that each counts once
_QUEUED = 2_000  # requests in memory; more known links are read only as fast as these are sent
_LONGEST_URL = 2_000
_LONGEST_VALIDATOR = 1_000


class SourceSpider(Spider):
    """Reads the sources of one platform.

    Args:
        session: The state that all spiders of a crawl share.
        link: A single source, for a spider that is run by hand with
            `scrapy crawl <spider> -a link=https://...`.
        author: The full name of the author of `link`, which its documents get.
    """

    platform: Platform

    def __init__(
        self,
        session: Session | None = None,
        link: str | None = None,
        author: str = "Unknown Author",
        **keywords: Any,
    ) -> None:
        super().__init__(**keywords)
        self._own = session is None
        self.session = session or _by_hand(self.platform, link, author)
        self.spec = self.session.spec
        self.sources = {s.id: s for s in self.spec.sources if s.platform == self.platform}
        self.source_hosts = SourceHosts(self.spec.sources)
        self._beyond: set[int] = set()  # hashes of links over their source's limit
        self._unread: set[str] = set()  # known listings that were requested but not read yet

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Build the spider, and tell the browser how to reach the network."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        session = spider.session
        # Scrapy makes deep copies of its settings, so they hold a function instead of the session.
        # The function is called when the first browser starts.
        proxy = lambda: session.proxy()  # noqa: E731, PLW0108
        crawler.settings.set("MOODSWARM_BROWSER_PROXY", proxy, priority="spider")
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Request the known links, reading them from the file as they are needed.

        All known listings are read before the first known page is requested, because feeds contain
        texts that replace pages which cannot be read.
        """
        for link in self._known(listings=True):
            self._unread.add(link.url)
            yield self._first_request(link)
        while self._unread and not self.session.stopping.is_set():
            await asyncio.sleep(_LOOK_SECONDS)
        for number, link in enumerate(self._known(listings=False)):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            while len(self.crawler.engine.scheduler or ()) > _QUEUED:  # type: ignore[arg-type]
                await asyncio.sleep(0.2)
            yield self._first_request(link)

    def _known(self, *, listings: bool) -> Iterator[Link]:
        for known in self.session.frontier.known():
            source = self.sources.get(known.source_id)
            if source is not None and known.ask and (known.role == "listing") is listings:
                yield Link.known(source, known)

    def _first_request(self, link: Link) -> Request | Visited:
        """Return the request for a known link, or a failed visit if the link makes no sense."""
        try:
            return self.request(link)
        except (ValueError, IndexError) as error:
            self._unread.discard(link.url)
            return link.visited("failed", "bad_link", f"{type(error).__name__}: {error}")

    def request(self, link: Link) -> Request:
        """Return the request for a link, conditional if an earlier visit allows it."""
        headers = {}
        if link.etag:
            headers["If-None-Match"] = link.etag
        if link.last_modified:
            headers["If-Modified-Since"] = link.last_modified
        return Request(
            self.address(link),
            headers=headers,
            callback=self.answered,
            errback=self.unanswered,
            cb_kwargs={"link": link},
            # The frontier has already accepted the link, and even a redirect to a known page has
            # to end in a `Visited` event for this link.
            dont_filter=True,
            # Listings come first: feeds contain texts that replace pages which cannot be read.
            priority=1 if link.role == "listing" else 0,
        )

    def address(self, link: Link) -> str:
        """Return the address that is requested for a link; for a listing it may be an API's."""
        return link.url

    async def answered(self, response: Response, link: Link) -> Output:
        """Turn a response into events; the last of them is a `Visited`, whatever happens."""
        try:
            async for item in self._read(response, link):
                yield item
        except Exception as error:  # noqa: BLE001  # reported and logged; only this page fails
            yield self._own_error(link, error)
        self._unread.discard(link.url)

    async def unanswered(self, failure: Any) -> Output:
        """End the visit to a link that got no response, and report why."""
        link: Link = failure.request.cb_kwargs["link"]
        told = failure_of(failure.value)
        try:
            async for item in self.without_page(link, told.reason, told.detail, told.outcome):
                yield item
        except Exception as error:  # noqa: BLE001  # reported and logged; only this page fails
            yield self._own_error(link, error)
        self._unread.discard(link.url)

    async def without_page(
        self, link: Link, reason: str, detail: str, outcome: Any = "failed"
    ) -> Output:
        """End a visit that led to no page; a subclass may find the text in another way."""
        yield link.visited(outcome, reason, detail)

    def parse_listing(self, response: Response, link: Link) -> Output:
        """Read a listing."""
        raise NotImplementedError

    def parse_page(self, response: Response, link: Link) -> Output:
        """Read a page."""
        raise NotImplementedError

    def parse_repository(self, response: Response, link: Link) -> Output:
        """Read a repository."""
        raise NotImplementedError

    async def follow(self, links: Iterable[Link], left_out: Counter[str]) -> Output:
        """Record and request the links that are new; count those left out for each reason."""
        for number, link in enumerate(links):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            reason = self._reason_to_leave_out(link)
            if reason is not None:
                left_out[reason] += reason != _BEYOND or self._is_news(link.url)
                continue
            if self.session.frontier.add(link.source.id, link.url, listing=link.role == "listing"):
                yield link.found()
                yield self.request(link)

    def _own_error(self, link: Link, error: Exception) -> Visited:
        """End a visit that failed because of an error in this program, so that it is not lost."""
        logger.exception("%s", link.url)
        return link.visited("failed", "crawler_error", f"{type(error).__name__}: {error}")

    def _reason_to_leave_out(self, link: Link) -> str | None:
        if len(link.url) > _LONGEST_URL:
            return "long_link"
        if not self.source_hosts.allows(link.source, link.url, link.found_on):
            return "off_site"
        if self.session.frontier.met(link.url):
            return None
        if link.depth > self.spec.limits.depth:
            return "depth"
        if self.session.frontier.full(link.source.id):
            return _BEYOND
        return None

    def _is_news(self, url: str) -> bool:
        """Return whether a link over the limit was not counted yet; pages often repeat links."""
        key = link_hash(url)
        told = key in self._beyond or len(self._beyond) >= _MOST_BEYOND
        if not told:
            self._beyond.add(key)
        return not told

    def _read(self, response: Response, link: Link) -> Output:
        if response.status == 304 and (link.etag or link.last_modified):  # noqa: PLR2004
            return _one(link.visited("not_modified", **validators(response)))
        if response.status in _GONE:
            return _one(link.visited("gone", f"http_{response.status}"))
        if response.status != 200:  # noqa: PLR2004
            return self.without_page(
                link, f"http_{response.status}", f"{response.url} answers {response.status}"
            )
        if link.configured:
            self.source_hosts.admit(link.source, response.url)
        elif not self.source_hosts.allows(link.source, response.url, link.url):
            detail = f"it leads to {response.url}; add that host to canonical_hosts to allow it"
            return _one(link.visited("skipped", "off_site", detail))
        elif link.role == "page" and _leads_home(link.url, response.url):
            return _one(link.visited("gone", "redirected_home", f"it leads to {response.url}"))
        return self._parser(link.role)(response, link)

    def _parser(self, role: AskedRole) -> Callable[[Response, Link], Output]:
        parsers: dict[AskedRole, Callable[[Response, Link], Output]] = {
            "listing": self.parse_listing,
            "page": self.parse_page,
            "repository": self.parse_repository,
        }
        return parsers[role]

    def closed(self, reason: str) -> None:  # noqa: ARG002  # Scrapy passes it
        """Stop waiting for listings, and close the session if the spider is run by hand."""
        self._unread.clear()
        if self._own:
            self.session.close()


def _leads_home(asked: str, answered: str) -> bool:
    """Return whether a site answers with its front page, as some sites do for deleted pages."""
    front = re.fullmatch(r"/?(?:index|home)?(?:\.\w+)?/?", urlsplit(asked).path) is not None
    return is_root(answered) and not is_root(asked) and not front


def validators(response: Response) -> dict[str, str | None]:
    """Return the headers that make the next request for a page conditional."""
    values = {}
    for field, name in (("etag", "ETag"), ("last_modified", "Last-Modified")):
        value = response.headers.get(name)
        text = value.decode("latin-1").strip() if isinstance(value, bytes) else ""
        values[field] = text if 0 < len(text) <= _LONGEST_VALIDATOR else None
    return values


async def _one(event: Visited) -> Output:
    yield event


def _by_hand(platform: Platform, link: str | None, author: str) -> Session:
    from moodswarm.crawl.routing import route, source_id

    sources: tuple[Source, ...] = ()
    known = ""
    if link is not None:
        chosen = route(link)
        identity = source_id(author, link)
        sources = (
            Source(
                id=identity,
                author_full_name=author,
                link=link,
                platform=platform,
                discover=chosen.discover,
            ),
        )
        known = KnownLink(
            source_id=identity, url=link, role=chosen.role, depth=0, ask=True
        ).model_dump_json()
    spec = CrawlSpec(sources=sources, links="", statistics="")
    return Session.by_hand(spec, known)
