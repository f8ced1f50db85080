"""Why a page was not read. Each has a `reason` (a code) and a `detail` (one sentence)."""

from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, IgnoreRequest

REMEDY = (
    "install Chromium and its driver in the same version (Debian: apt-get install chromium "
    "chromium-driver; Ubuntu: snap install chromium; macOS: brew install chromedriver and Chrome) "
    "so that both are on PATH, or set browser.use to never"
)
_LONGEST_DETAIL = 300


class BrowserMissing(Exception):
    """No Chromium that starts; never retried. The message names what to install."""

    reason = "needs_browser"

    def __init__(self, problem: str) -> None:
        self.detail = f"this page needs a browser, and {_short(problem)}: {REMEDY}"
        super().__init__(self.detail)


class PageFailed(DownloadFailedError):
    """The page could not be read this time; Scrapy's retry middleware tries again.

    Attributes:
        reason: `network` for what Chromium could not load, `browser_crashed` otherwise.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, _short(detail)
        super().__init__(self.detail)


class PageTimedOut(DownloadTimeoutError):
    """The page took longer than it may, all waits included; tried again like any timeout."""

    reason = "timeout"

    def __init__(self, detail: str) -> None:
        self.detail = _short(detail)
        super().__init__(self.detail)


class PageRefused(IgnoreRequest):
    """The page is not wanted; another try would change nothing.

    Attributes:
        reason: `too_large`, `not_html`, `scheme`, `egress` or `redirects`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, _short(detail)
        super().__init__(self.detail)


def _short(text: str) -> str:
    """Return the first line: chromedriver adds its stack to every message."""
    line = (text.strip().splitlines() or [""])[0].removeprefix("Message: ")
    return line[:_LONGEST_DETAIL]
