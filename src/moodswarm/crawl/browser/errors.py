"""Errors that say why a page was not read, each with a `reason` (a code) and a `detail`."""

from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, IgnoreRequest

REMEDY = (
    "install Chromium and its driver in the same version (Debian: apt-get install chromium "
    "chromium-driver; Ubuntu: snap install chromium; macOS: brew install chromedriver and Chrome) "
    "so that both are on PATH, or set browser.use to never"
)
_LONGEST_DETAIL = 300


class BrowserMissing(Exception):
    """There is no Chromium that starts; the message says what to install. Never retried."""

    reason = "needs_browser"

    def __init__(self, problem: str) -> None:
        self.detail = f"this page needs a browser, but {_short(problem)}: {REMEDY}"
        super().__init__(self.detail)


class PageFailed(DownloadFailedError):
    """The page could not be read this time; Scrapy's retry middleware tries again.

    Attributes:
        reason: `network` if Chromium could not load the page, otherwise `browser_crashed`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, _short(detail)
        super().__init__(self.detail)


class PageTimedOut(DownloadTimeoutError):
    """The page took too long, including all waits; it is tried again, like any timeout."""

    reason = "timeout"

    def __init__(self, detail: str) -> None:
        self.detail = _short(detail)
        super().__init__(self.detail)


class PageRefused(IgnoreRequest):
    """The page is refused; another try would not help.

    Attributes:
        reason: `too_large`, `not_html`, `scheme`, `egress` or `redirects`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, _short(detail)
        super().__init__(self.detail)


def _short(text: str) -> str:
    """Return the first line, because chromedriver adds a stack trace to every message."""
    line = (text.strip().splitlines() or [""])[0].removeprefix("Message: ")
    return line[:_LONGEST_DETAIL]
