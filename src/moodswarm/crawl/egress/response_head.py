"""A limit that Scrapy lacks: of the head of a response.

`DOWNLOAD_MAXSIZE` counts bodies only. A server that never ends its header fields filled 100 MB of
memory a second until the time limit.
"""

from scrapy.core.downloader.handlers.http11 import (
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from twisted.internet.defer import Deferred
from twisted.web._newclient import Request
from twisted.web.iweb import IResponse

# As Chromium: 256 KiB. Interim responses (1xx) count too.
MAX_HEAD = 256 * 1024


class HeadTooLong(Exception):
    """The head of a response grew over `MAX_HEAD` bytes."""


class _LimitedParser(_LenientHTTPClientParser):
    # Scrapy turns an existing parser into one of its class, and so does `_LimitedProtocol`; the
    # count therefore begins here and not in `__init__`.
    head_bytes = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802  # Twisted's name
        self.head_bytes += len(line)
        if self.head_bytes > MAX_HEAD:
            raise HeadTooLong  # the protocol closes the connection
        super().lineReceived(line)


class _LimitedProtocol(_LenientHTTP11ClientProtocol):
    def request(self, request: Request) -> Deferred[IResponse]:
        answer = super().request(request)
        if self._parser is not None:
            self._parser.__class__ = _LimitedParser
        return answer


class LimitedClientFactory(_LenientHTTP11ClientFactory):
    """Makes the connections of a pool."""

    def buildProtocol(self, addr: object) -> _LimitedProtocol:  # noqa: ARG002, N802
        """Return the protocol of a new connection."""
        return _LimitedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
