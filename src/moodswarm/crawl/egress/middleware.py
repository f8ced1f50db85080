"""Judges every request from Scrapy before anything else is done with it.

Redirects, robots.txt, sitemaps and feeds are requests like any other. A request that is refused
here costs no connection and no delay, and its host is not asked for a robots.txt first.
"""

from typing import TYPE_CHECKING

from moodswarm.crawl.egress.download import RequestRefused, installed_resolver, refuse_proxy
from moodswarm.crawl.egress.policy import EgressRefused
from moodswarm.crawl.egress.settings import DOWNLOAD

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class EgressMiddleware:
    """The first downloader middleware; a request that it refuses is never retried."""

    def __init__(self, crawler: "Crawler") -> None:
        handlers = crawler.settings.getwithbase("DOWNLOAD_HANDLERS")
        unguarded = sorted(
            scheme for scheme, path in handlers.items() if path not in (None, DOWNLOAD)
        )
        if unguarded:
            raise RuntimeError(f"DOWNLOAD_HANDLERS: {unguarded} go around the egress guard")

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "EgressMiddleware":
        """Build the middleware.

        Raises:
            RuntimeError: some scheme would be downloaded without the guard.
        """
        return cls(crawler)

    async def process_request(self, request: "Request") -> None:
        """Refuse a request whose address may not be reached.

        Raises:
            RequestRefused: the address may not be reached. The error is both an `IgnoreRequest` and
                an `EgressRefused`.
            CannotResolveHostError: the host has no address.
        """
        from scrapy.exceptions import CannotResolveHostError
        from scrapy.utils.defer import maybe_deferred_to_future
        from twisted.internet.defer import Deferred
        from twisted.internet.error import DNSLookupError

        resolver = installed_resolver()
        try:
            refuse_proxy(request)
            target = resolver.policy.target(request.url)
            await maybe_deferred_to_future(Deferred.fromCoroutine(resolver.addresses(target)))
        except EgressRefused as refusal:
            raise RequestRefused(refusal) from None
        except DNSLookupError as error:
            raise CannotResolveHostError(error.args[0]) from error
