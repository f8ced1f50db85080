"""Opens one page, waits until it stops changing, scrolls it, and reads it."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selenium.common.exceptions import WebDriverException

from moodswarm.crawl.browser.driver import Driver
from moodswarm.crawl.browser.errors import PageFailed, PageRefused
from moodswarm.crawl.browser.requests import WaitUntil
from moodswarm.crawl.browser.scripts import PENDING, READ, SCROLL, STATE

_LOOK_SECONDS = 0.1
#: If nothing changed and no request was open for this long, the page is at rest.
_REST_SECONDS = 0.5
#: The same while a request is open: long-polling requests may never end.
_LISTENING_SECONDS = 3.0
#: A page that never rests, because of a clock or an advertisement, is read after this time.
_RESTLESS_SECONDS = 12.0
_SCHEMES = ("http", "https")
_NET_ERROR = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_FIRST_ERROR = 400
_HTML = ("text/html", "application/xhtml+xml")
#: Errors that would occur again at another try.
_FINAL = {
    "ERR_TOO_MANY_REDIRECTS": "redirects",
    "ERR_UNSAFE_REDIRECT": "egress",
    "ERR_INVALID_REDIRECT": "redirects",
    "ERR_DISALLOWED_URL_SCHEME": "egress",
    "ERR_UNKNOWN_URL_SCHEME": "scheme",
    "ERR_UNSAFE_PORT": "egress",
    "ERR_ABORTED": "not_html",  # an answer without content
}
#: Reasons after which the browser is still usable; after any other, it is ended.
_HARMLESS = ("network", "not_html", "egress", "redirects", "scheme")
_WORLD = "moodswarm"


@dataclass(frozen=True, slots=True)
class Visit:
    """The instructions for one page; the fields are those of `BrowserRequest`."""

    url: str
    scrolls: int
    wait_time: float | None = None
    wait_until: WaitUntil | None = None
    script: str | None = None
    screenshot: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page as Chromium shows it.

    Attributes:
        url: The address after redirects.
        html: The HTML, in UTF-8.
        screenshot: A PNG, if it was asked for.
    """

    url: str
    status: int
    html: bytes
    screenshot: bytes | None


def check_scheme(url: str) -> None:
    """Refuse any scheme but http and https, before a browser is started for it.

    Raises:
        PageRefused: the address has another scheme.
    """
    scheme = urlsplit(url).scheme.lower()
    if scheme not in _SCHEMES:
        raise PageRefused("scheme", f"a browser opens http and https here, not {scheme[:20]!r}")


def open_page(driver: Driver, visit: Visit) -> Page:
    """Read a page within `Setup.page_seconds`; afterwards the driver is like new, or closed.

    Raises:
        PageRefused, PageFailed, PageTimedOut: see these classes.
    """
    check_scheme(visit.url)
    told: PageRefused | PageFailed | None = None
    with driver.limit(driver.setup.page_seconds, "the page did not come to rest"):
        try:
            page = _Visitor(driver, visit).page()
        except (PageRefused, PageFailed) as error:
            if error.reason not in _HARMLESS:
                raise
            told = error
        driver.renew_tab()
        driver.pages += 1
    if told:
        raise told
    return page


class _Visitor:
    """The steps of one visit."""

    def __init__(self, driver: Driver, visit: Visit) -> None:
        self._driver, self._visit = driver, visit
        self._deadline = time.monotonic() + driver.setup.page_seconds
        self._context: int | None = None

    def page(self) -> Page:
        self._load()
        self._wait_until()
        self._rest(_REST_SECONDS)
        self._scroll()
        if self._visit.script:
            self._driver.chrome.execute_script(self._visit.script)
            self._rest(_REST_SECONDS)
        return self._read()

    def _load(self) -> None:
        """Open the address; unlike WebDriver's own command, this reports what went wrong."""
        try:
            answer = self._driver.command("Page.navigate", url=self._visit.url)
            error = str(answer.get("errorText", ""))
        except WebDriverException as noticed:  # the driver noticed the error first
            answer, error = {}, str(noticed.msg)
            if "net::" not in error:
                raise
        if answer.get("isDownload"):
            raise PageRefused("not_html", "the server sends a file for download")
        if found := _NET_ERROR.search(error):
            self._complain_of_refusal(self._address())
            code = found[1]
            raise PageRefused(_FINAL[code], code) if code in _FINAL else PageFailed("network", code)

    def _wait_until(self) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        if self._visit.wait_until:
            left = max(0.0, self._deadline - time.monotonic())
            wait = min(self._visit.wait_time or left, left)
            WebDriverWait(self._driver.chrome, wait).until(self._visit.wait_until)

    def _rest(self, quiet: float) -> None:
        """Wait until nothing has changed for `quiet` seconds.

        A page whose own text is still being sent is never taken for complete: the wait goes on
        until the time for the page is over.
        """
        started = changed = time.monotonic()
        before: Any = None
        while True:
            state, pending = str(self._evaluate(STATE)), self._evaluate_there(PENDING)
            now = time.monotonic()
            # An answer that has begun to arrive changes `pending` before it changes the page.
            if (state, pending) != before:
                before, changed = (state, pending), now
            if "complete" in state and not pending and now - changed >= quiet:
                return
            enough = now - changed >= _LISTENING_SECONDS or now - started >= _RESTLESS_SECONDS
            if enough and "loading" not in state:
                return
            time.sleep(_LOOK_SECONDS)

    def _scroll(self) -> None:
        """Scroll down screen by screen, to load the content that loads only when it is seen."""
        for _ in range(self._visit.scrolls):
            if not self._evaluate(SCROLL):
                return
            self._rest(_REST_SECONDS / 2)

    def _read(self) -> Page:
        limit = self._driver.setup.page_bytes
        found = self._evaluate(READ.replace("LIMIT", str(limit)))
        if not isinstance(found, dict):
            raise PageFailed("browser_crashed", "the page could not be read")
        url, status = str(found["url"]), int(found["status"])
        if status == 0 or urlsplit(url).scheme not in _SCHEMES:
            raise PageFailed("network", f"Chromium shows {url[:80]} instead of the page")
        if found["type"] not in _HTML:
            self._complain_of_refusal(url)
        # An error page may be plain text. Its status says enough, even whether to try again.
        if found["type"] not in _HTML and status < _FIRST_ERROR:
            raise PageRefused("not_html", f"the page is {str(found['type'])[:80]}")
        html = (found["html"] or "").encode("utf-8", "replace")
        if found["html"] is None or len(html) > limit:
            raise PageRefused("too_large", f"{found['length']} characters, over {limit} bytes")
        shot = self._driver.chrome.get_screenshot_as_png() if self._visit.screenshot else None
        return Page(url, status, html, shot)

    def _address(self) -> str:
        """Return the address that Chromium ended at; the driver may first repeat an error."""
        for _ in range(2):
            with suppress(WebDriverException):
                return self._driver.chrome.current_url
        return self._visit.url

    def _complain_of_refusal(self, url: str) -> None:
        refusal = self._driver.setup.refusal(url)
        if refusal:
            raise PageRefused("egress", refusal)

    def _evaluate(self, expression: str) -> Any:
        """Run a script out of the page's reach; try again if the page has changed its address."""
        for last in (False, True):
            try:
                if self._context is None:
                    self._context = self._make_world()
                return self._evaluate_there(expression, contextId=self._context)
            except WebDriverException:
                self._context = None
                if last:
                    raise
        return None

    def _make_world(self) -> int:
        frame = self._driver.command("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = self._driver.command("Page.createIsolatedWorld", frameId=frame, worldName=_WORLD)
        return int(world["executionContextId"])

    def _evaluate_there(self, expression: str, **where: object) -> Any:
        answer = self._driver.command(
            "Runtime.evaluate", expression=expression, returnByValue=True, **where
        )
        return answer["result"].get("value")
