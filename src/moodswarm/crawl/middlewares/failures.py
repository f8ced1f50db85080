"""Why a request led to no page: a code and a sentence for any error."""

from dataclasses import dataclass
from typing import Literal

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError, ConnectionClosed

# For these reasons a page is skipped on purpose: another request would be useless, or wrong.
_ON_PURPOSE = frozenset(("robots", "off_site"))

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (DownloadTimeoutError, "timeout"),
    (CannotResolveHostError, "dns"),
    (DownloadConnectionRefusedError, "refused"),
    # The downloader cancels a download only if the body exceeds DOWNLOAD_MAXSIZE.
    (DownloadCancelledError, "too_large"),
    (UnsupportedURLSchemeError, "scheme"),
    (DownloadFailedError, "connection"),
    (ResponseDataLossError, "connection"),
    (ConnectError, "connection"),
    (ConnectionClosed, "connection"),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """The outcome of a request that got no answer."""

    outcome: Literal["failed", "skipped"]
    reason: str
    detail: str


def failure_of(error: BaseException) -> Failure:
    """Return the failure for an error that was raised instead of a response.

    Errors of this project carry `reason` and `detail`; those of Scrapy and Twisted are looked up.
    Any other error becomes a `crawler_error` with its type.
    """
    from moodswarm.crawl.egress import EgressRefused

    if isinstance(error, EgressRefused):
        return Failure("failed", "egress", error.detail)
    reason, detail = getattr(error, "reason", None), getattr(error, "detail", None)
    if isinstance(reason, str) and isinstance(detail, str):
        return Failure("skipped" if reason in _ON_PURPOSE else "failed", reason, detail)
    for kind, code in _REASONS:
        if isinstance(error, kind):
            tls = code == "connection" and "SSL" in str(error)
            return Failure("failed", "tls" if tls else code, _words(error))
    return Failure("failed", "crawler_error", f"{type(error).__name__}: {error}")


def _words(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__
