"""Scrapy's redirects and decompression, with errors that say which limit was reached."""

from typing import TYPE_CHECKING

from scrapy.core.downloader import Downloader
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class TooManyRedirects(IgnoreRequest):
    """A request was redirected more often than `limits.redirects` allows."""

    reason = "redirects"

    def __init__(self, url: str) -> None:
        self.detail = f"more redirects than limits.redirects; the last was {url}"
        super().__init__(self.detail)


class TooLarge(IgnoreRequest):
    """A body exceeds `limits.page_bytes` when it is decompressed."""

    reason = "too_large"

    def __init__(self, url: str) -> None:
        self.detail = f"{url} is over limits.page_bytes when decompressed"
        super().__init__(self.detail)


class LimitedRedirects(RedirectMiddleware):
    """Follows redirects, without ever sending a `Referer`."""

    def process_response(  # type: ignore[override]  # without the deprecated third argument
        self, request: "Request", response: "Response"
    ) -> "Request | Response":
        """Follow a redirect.

        Raises:
            TooManyRedirects: instead of Scrapy's `IgnoreRequest`, which does not give the reason.
        """
        try:
            answer = super().process_response(request, response)
        except IgnoreRequest:
            raise TooManyRedirects(request.url) from None
        # Scrapy also copies the download slot. A new host would then get requests at the pace of
        # the old one.
        if answer is not response:
            answer.meta.pop(Downloader.DOWNLOAD_SLOT, None)
        return answer

    def handle_referer(self, request: "Request", response: "Response") -> None:  # noqa: ARG002
        """Remove the `Referer` header instead of setting it."""
        request.headers.pop("Referer", None)

    def _engine_started(self) -> None:
        """Do nothing: Scrapy would warn here that its middleware for `Referer` is off."""


class LimitedCompression(HttpCompressionMiddleware):
    """Decompresses bodies up to the limit."""

    def process_response(  # type: ignore[override]  # without the deprecated third argument
        self, request: "Request", response: "Response"
    ) -> "Request | Response":
        """Decompress the body of a response.

        Raises:
            TooLarge: instead of Scrapy's `IgnoreRequest`, which does not give the reason.
        """
        try:
            return super().process_response(request, response)
        except IgnoreRequest:
            raise TooLarge(request.url) from None
