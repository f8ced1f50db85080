"""Scrapy's download of one request, with the guard as its last gate."""

from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import CannotResolveHostError, DownloadFailedError, IgnoreRequest

from moodswarm.crawl.egress.policy import EgressRefused
from moodswarm.crawl.egress.resolver import EgressResolver
from moodswarm.crawl.egress.response_head import MAX_HEAD, HeadTooLong, LimitedClientFactory

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class RequestRefused(IgnoreRequest, EgressRefused):
    """An `EgressRefused` that Scrapy neither retries nor logs as an error."""

    def __init__(self, refusal: EgressRefused) -> None:
        EgressRefused.__init__(self, refusal.reason, refusal.detail)


class ResponseTooLarge(IgnoreRequest):
    """A response whose head is over the limit; asking again would be no use."""

    reason = "too_large"

    def __init__(self, url: str) -> None:
        self.detail = f"{url} answers with header fields of more than {MAX_HEAD // 1024} KiB"
        super().__init__(self.detail)


def installed_resolver() -> EgressResolver:
    """Return the guard's resolver.

    Raises:
        RuntimeError: the reactor uses another one, so nothing may be fetched.
    """
    from twisted.internet import reactor

    resolver = reactor.nameResolver
    if not isinstance(resolver, EgressResolver):
        raise RuntimeError("the egress resolver is not installed; see guarded_settings")
    return resolver


class EgressDownload(HTTP11DownloadHandler):
    """Downloads over HTTP/1.1, by the guard's resolver and by no proxy.

    A proxy is the one case where Scrapy goes around the resolver: a request's `meta["proxy"]`
    makes it connect to an address that nobody judged.
    """

    def __init__(self, crawler: "Crawler") -> None:
        super().__init__(crawler)
        self._resolver = installed_resolver()
        self._pool._factory = LimitedClientFactory

    async def download_request(self, request: "Request") -> "Response":
        """Download, or say what was refused.

        Raises:
            RequestRefused: as `EgressPolicy.resolve`, or the request names a proxy.
            ResponseTooLarge: the head of the answer does not end.
        """
        try:
            target = self._resolver.policy.target(request.url)
            refuse_proxy(request)
        except EgressRefused as refusal:
            raise RequestRefused(refusal) from None
        try:
            return await super().download_request(request)
        except CannotResolveHostError:
            refused = self._resolver.refusal(target)
            if refused is not None:
                raise RequestRefused(refused) from None
            raise
        except DownloadFailedError as error:
            reasons = getattr(error.__cause__, "reasons", ())
            if any(isinstance(reason.value, HeadTooLong) for reason in reasons):
                raise ResponseTooLarge(request.url) from None
            raise


def refuse_proxy(request: "Request") -> None:
    """Refuse a request that names a proxy.

    Raises:
        EgressRefused: it does.
    """
    if request.meta.get("proxy"):
        raise EgressRefused("proxy", "the request names a proxy, which would resolve by itself")
