"""What a server says about when to come back."""

import time
from datetime import UTC
from email.utils import parsedate_to_datetime

from scrapy.http import Headers


def retry_after(headers: Headers) -> float | None:
    """Return the seconds that a server asks to wait, or None where it does not say.

    `Retry-After` is a number of seconds or a date; GitHub says it with `X-RateLimit-*` alone.
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
    return value.isascii() and value.isdigit()  # "¹" is a digit too, and no number
