"""Retries after failures that may be temporary, and waits as long as the server asks.

Scrapy's own middleware retries immediately and ignores `Retry-After`.
"""

import asyncio
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import (
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
    ResponseDataLossError,
)
from scrapy.http import Headers
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached
from tenacity import RetryCallState, wait_random_exponential
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from moodswarm.crawl.session import Pauses

#: Key in `Request.meta`; `PatientQueue` holds the request until `time.monotonic` has this value.
NOT_BEFORE = "not_before"

_STATUSES = frozenset((429, 500, 502, 503, 504))
# A host that has no address, or refuses connections, is not retried: that rarely changes within
# seconds.
_LOST = (
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    ConnectError,
    ConnectionDone,
    ConnectionLost,
)
_WAIT = wait_random_exponential(multiplier=1, max=60)


class RetryLater(IgnoreRequest):
    """The server asks for a pause that is longer than a crawl may wait."""

    reason = "retry_after"

    def __init__(self, domain: str, seconds: float, limit: float) -> None:
        self.detail = (
            f"{domain} asks to come back in {seconds:.0f} s, which is over "
            f"manners.max_retry_after_seconds ({limit:g}); run again later"
        )
        super().__init__(self.detail)


class RetryMiddleware:
    """Sends requests back to the queue, and pauses the domains that ask for a pause."""

    def __init__(self, crawler: "Crawler", pauses: "Pauses") -> None:
        self._crawler = crawler
        self._pauses = pauses

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "RetryMiddleware":
        """Build the middleware for a spider that has a session."""
        session = getattr(crawler.spider, "session", None)
        if session is None:
            raise NotConfigured("the spider has no session")
        return cls(crawler, session.pauses)

    async def process_request(self, request: "Request") -> None:
        """Refuse requests to a domain that has asked for a long pause.

        Raises:
            RetryLater: the rest of the pause is longer than a crawl may wait.
        """
        domain = _domain(request)
        wait = self._pauses.remaining(domain)
        if wait > self._pauses.limit:
            raise RetryLater(domain, wait, self._pauses.limit)

    async def process_response(
        self, request: "Request", response: "Response"
    ) -> "Request | Response":
        """Retry after a status that may be temporary.

        Raises:
            RetryLater: if the server asks for a longer pause than a crawl may wait.
        """
        limited = response.status == 403 and b"X-RateLimit-Remaining" in response.headers  # noqa: PLR2004
        asked = retry_after(response.headers)
        if response.status not in _STATUSES and not (limited and asked):
            return response
        if asked:
            self._pause(request, asked)
        return await self._again(request, f"http_{response.status}", asked) or response

    async def process_exception(self, request: "Request", exception: Exception) -> "Request | None":
        """Retry a timeout or a lost connection."""
        if isinstance(exception, _LOST):
            return await self._again(request, type(exception).__name__, None)
        return None

    def _pause(self, request: "Request", seconds: float) -> None:
        domain = _domain(request)
        self._pauses.pause(domain, seconds)
        if seconds > self._pauses.limit:
            raise RetryLater(domain, seconds, self._pauses.limit)
        # Requests that have already left the queue wait in the downloader's slot, so this slot is
        # paused as well.
        slot = self._crawler.engine.downloader.slots.get(domain)
        if slot is not None and slot.delay:
            slot.lastseen = max(slot.lastseen, time.monotonic() + seconds)

    async def _again(
        self, request: "Request", reason: str, asked: float | None
    ) -> "Request | None":
        assert self._crawler.spider  # noqa: S101  # for mypy: there is a spider while requests run
        retry = get_retry_request(
            request, spider=self._crawler.spider, reason=reason, give_up_log_level="DEBUG"
        )
        if retry is None:
            return None
        wait = asked if asked is not None else _backoff(retry.meta["retry_times"])
        if request.callback is NO_CALLBACK:  # such as a robots.txt, for which a page waits here
            await asyncio.sleep(wait)
        else:
            retry.meta[NOT_BEFORE] = time.monotonic() + wait
        return retry


def retry_after(headers: Headers) -> float | None:
    """Return the seconds that a server asks a client to wait; None if it does not say.

    `Retry-After` is a number of seconds or a date. GitHub may send only `X-RateLimit-*`.
    """
    value = _text(headers, "Retry-After")
    if value is None and _text(headers, "X-RateLimit-Remaining") == "0":
        reset = _text(headers, "X-RateLimit-Reset")
        return max(0.0, float(reset[:12]) - time.time()) if reset and _is_number(reset) else None
    if value is None:
        return None
    if _is_number(value):
        return float(value[:12])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - time.time())


def _text(headers: Headers, name: str) -> str | None:
    value = headers.get(name)
    return value.decode("latin-1").strip() if isinstance(value, bytes) else None


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()  # "¹".isdigit() is true too, but float("¹") fails


def _domain(request: "Request") -> str:
    """Return the key of the request's download slot; delays and pauses apply to a whole slot."""
    return urlparse_cached(request).hostname or ""


def _backoff(attempt: int) -> float:
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]  # only the count is read
    state.attempt_number = attempt
    return _WAIT(state)
