"""The connection to a Qdrant server: its address, retries, and errors with remedies."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from moodswarm.stores.errors import StoreError, StoreFull, StoreUnavailable

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_Answer = TypeVar("_Answer")

#: Seconds to wait before the second and the third attempt.
_PAUSES = (0.2, 1.0)
_BUSY = (408, 429, 500, 502, 503, 504)
_REFUSED = (401, 403)
_OUT_OF_SPACE = 507


def connect(url: str, api_key: str | None, timeout: float) -> "QdrantClient":
    """Build a client, which does not contact the server before its first request.

    Raises:
        StoreUnavailable: the address is invalid. The message does not quote it, since it may
            contain a password.
        StoreError: qdrant-client is not installed.
    """
    if problem := _problem(url):
        raise StoreUnavailable(
            f"the url of the Qdrant server {problem}; expected http://host:port, such as "
            "http://localhost:6333. Set the `url` of this store's credentials"
        )
    try:
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise StoreError(
            'a Qdrant server needs qdrant-client; install it with: pip install "moodswarm[server]"'
        ) from error
    # The client's version check would send a request here, and only warn if that fails.
    return QdrantClient(
        url=url, api_key=api_key, timeout=max(1, round(timeout)), check_compatibility=False
    )


def _problem(url: str | None) -> str:
    """Return what is wrong with an address, or an empty string if nothing is."""
    if not url:
        return "is empty"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "has an invalid host or port"
    if parts.scheme not in ("http", "https"):
        return "does not start with http:// or https://"
    return "" if host else "names no host"


def shown(url: str) -> str:
    """Return an address as messages show it: scheme, host and port, without login or path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def ask(location: str, call: Callable[..., _Answer], *arguments: Any, **options: Any) -> _Answer:
    """Send a request, and repeat it if the server is busy or does not answer.

    Every request of this program can be repeated without changing the result.

    Raises:
        StoreUnavailable: there is no connection, the server stays busy, or it refuses the key.
        StoreFull: the server has no space left.
        StoreError: the server refuses the request itself.
    """
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    for pause in (*_PAUSES, None):
        try:
            return call(*arguments, **options)
        except ResponseHandlingException as error:
            if pause is None:
                raise StoreUnavailable(
                    f"no answer from the Qdrant server at {location}: {error}. Start it, or check "
                    "the address and the network"
                ) from error
        except UnexpectedResponse as error:
            if pause is None or error.status_code not in _BUSY:
                raise _refusal(location, error.status_code, error.content) from error
        time.sleep(pause)
    raise AssertionError("unreachable")


def _refusal(location: str, status: int | None, content: bytes) -> StoreError:
    said = content.decode(errors="replace")[:300]
    if status in _REFUSED:
        return StoreUnavailable(
            f"the Qdrant server at {location} refuses the key (status {status}). Set the "
            "`api_key` of this store's credentials to one that may write"
        )
    if status in _BUSY:
        return StoreUnavailable(f"the Qdrant server at {location} stays busy ({status}): {said}")
    if status == _OUT_OF_SPACE or "No space left" in said:
        return StoreFull(f"the Qdrant server at {location} has no space left: {said}")
    return StoreError(f"the Qdrant server at {location} refuses a request ({status}): {said}")
