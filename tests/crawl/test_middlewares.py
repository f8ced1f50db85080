from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import Headers

from moodswarm.crawl.middlewares.failures import failure_of
from moodswarm.crawl.middlewares.limits import TooLarge, TooManyRedirects
from moodswarm.crawl.middlewares.retry import RetryLater, retry_after
from moodswarm.crawl.middlewares.robots import RobotsForbidden, RobotsUnreachable
from moodswarm.crawl.session import Pauses


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 400}, float("9" * 12)),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 0.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "never"}, None),
        ({"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "99999999999"}, None),
    ],
)
def test_a_server_says_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(Headers(headers)) == seconds


def test_a_date_is_a_number_of_seconds_from_now() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    seconds = retry_after(Headers({"Retry-After": format_datetime(later, usegmt=True)}))
    assert seconds is not None
    assert 3_000 < seconds <= 3_600


@given(st.binary(max_size=60))
def test_no_header_breaks_the_reading(value: bytes) -> None:
    seconds = retry_after(Headers({"Retry-After": value}))
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (DownloadTimeoutError("slow"), "failed", "timeout"),
        (CannotResolveHostError("who"), "failed", "dns"),
        (DownloadConnectionRefusedError("no"), "failed", "refused"),
        (DownloadCancelledError("big"), "failed", "too_large"),
        (DownloadFailedError("[<SSL.Error: bad certificate>]"), "failed", "tls"),
        (DownloadFailedError("lost"), "failed", "connection"),
        (RobotsForbidden("https://example.org/a"), "skipped", "robots"),
        (RobotsUnreachable("timeout", "slow"), "failed", "timeout"),
        (RetryLater("example.org", 4_000, 300), "failed", "retry_after"),
        (TooManyRedirects("https://example.org/a"), "failed", "redirects"),
        (TooLarge("https://example.org/a"), "failed", "too_large"),
        (ZeroDivisionError("oh"), "failed", "crawler_error"),
    ],
)
def test_every_error_has_a_reason(error: Exception, outcome: str, reason: str) -> None:
    told = failure_of(error)
    assert (told.outcome, told.reason) == (outcome, reason)
    assert told.detail


def test_a_longer_pause_is_not_cut_short_by_another_answer() -> None:
    pauses = Pauses(limit=300)
    pauses.pause("example.org", 1_000)
    pauses.pause("example.org", 1)
    assert pauses.remaining("example.org") > 300
    assert pauses.remaining("example.com") == 0
