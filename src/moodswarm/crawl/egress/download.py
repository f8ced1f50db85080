"""Scrapy's download of one request, with the guard as its last check."""

from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from scrapy.exceptions import CannotResolveHostError, DownloadFailedError, IgnoreRequest
from twisted.internet.defer import Deferred
from twisted.web._newclient import Request as SentRequest
from twisted.web.iweb import IResponse

from moodswarm.crawl.egress.policy import EgressRefused
from moodswarm.crawl.egress.resolver import EgressResolver

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# `DOWNLOAD_MAXSIZE` counts bodies only: a server that never ended its header fields filled 100 MB
# of memory a second until the time limit. Chromium has this same limit. Interim responses (1xx)
# count too.
MAX_HEAD = 256 * 1024


class RequestRefused(IgnoreRequest, EgressRefused):
    """An `EgressRefused` that Scrapy neither retries nor logs as an error."""

    def __init__(self, refusal: EgressRefused) -> None:
        EgressRefused.__init__(self, refusal.reason, refusal.detail)


class ResponseTooLarge(IgnoreRequest):
    """The head of a response is over the limit; asking again would not help."""

    reason = "too_large"

    def __init__(self, url: str) -> None:
        self.detail = f"{url} answers with header fields of more than {MAX_HEAD // 1024} KiB"
        super().__init__(self.detail)


def installed_resolver() -> EgressResolver:
    """Return the guard's resolver.

    Raises:
        RuntimeError: the reactor uses another resolver, so nothing may be fetched.
    """
    from twisted.internet import reactor

    resolver = reactor.nameResolver
    if not isinstance(resolver, EgressResolver):
        raise RuntimeError("the egress resolver is not installed. See guarded_settings")
    return resolver


class EgressDownload(HTTP11DownloadHandler):
    """Downloads over HTTP/1.1, with the guard's resolver and without a proxy.

    A proxy is the only case in which Scrapy bypasses the resolver: a request's `meta["proxy"]`
    makes it connect to an address that was not judged.
    """

    def __init__(self, crawler: "Crawler") -> None:
        super().__init__(crawler)
        self._resolver = installed_resolver()
        self._pool._factory = LimitedClientFactory

    async def download_request(self, request: "Request") -> "Response":
        """Download one request.

        Raises:
            RequestRefused: for a reason of `EgressPolicy.resolve`, or because the request names a
                proxy.
            ResponseTooLarge: the head of the answer is too long.
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
        EgressRefused: the request names a proxy.
    """
    if request.meta.get("proxy"):
        raise EgressRefused("proxy", "the request names a proxy, which would resolve names itself")


class HeadTooLong(Exception):
    """The head of a response grew over `MAX_HEAD` bytes."""


class _LimitedParser(_LenientHTTPClientParser):
    # Scrapy changes the class of an existing parser, and so does `_LimitedProtocol`. `__init__` has
    # run by then, so the count begins here.
    head_bytes = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802  # Twisted's name
        self.head_bytes += len(line)
        if self.head_bytes > MAX_HEAD:
            raise HeadTooLong  # the protocol closes the connection
        super().lineReceived(line)


class _LimitedProtocol(_LenientHTTP11ClientProtocol):
    def request(self, request: SentRequest) -> Deferred[IResponse]:
        answer = super().request(request)
        if self._parser is not None:
            self._parser.__class__ = _LimitedParser
        return answer


class LimitedClientFactory(_LenientHTTP11ClientFactory):
    """Makes the connections of Scrapy's pool."""

    def buildProtocol(self, addr: object) -> _LimitedProtocol:  # noqa: ARG002, N802
        """Return the protocol of a new connection."""
        return _LimitedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
