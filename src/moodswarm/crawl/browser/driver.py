"""One browser and its driver, both of which are certain to end."""

import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver import Remote
from selenium.webdriver.chrome.remote_connection import ChromeRemoteConnection
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.proxy import Proxy
from selenium.webdriver.remote.client_config import ClientConfig
from urllib3.exceptions import HTTPError

from moodswarm.crawl.browser import watchdog
from moodswarm.crawl.browser.chromium import BLOCKED, Setup, make_environment, make_options
from moodswarm.crawl.browser.errors import PageFailed, PageRefused, PageTimedOut
from moodswarm.crawl.browser.scripts import PRELUDE

_START_SECONDS = 60.0
_END_SECONDS = 10.0
_ANSWER_SECONDS = 3_600  # limits end the browser long before
#: Errors of Selenium, and of the connection to a driver that died.
DRIVER_ERRORS = (WebDriverException, HTTPError, OSError)


class _WatchedService(Service):
    """Chromedriver under a watchdog, in a process group of its own."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        super().__init__(
            executable_path=sys.executable,
            env=make_environment(folder),
            popen_kw={"process_group": 0},
        )
        # Isolated and without site-packages, the watchdog starts in 20 ms, and no module of the
        # standard library can be shadowed.
        program = [str(Path(watchdog.__file__)), str(folder), str(setup.memory_mib), setup.driver]
        self._command = ["-I", "-S", *program]

    def env_path(self) -> None:
        """Do nothing, so that the environment cannot name another driver."""

    def command_line_args(self) -> list[str]:
        """Return the arguments of the Python that runs the watchdog."""
        arguments: list[str] = super().command_line_args()
        return [*self._command, *arguments]

    def stop(self) -> None:
        """Let the watchdog end everything; Selenium's own way may take 90 seconds."""
        child: subprocess.Popen[bytes] | None = getattr(self, "process", None)
        if child is None:
            return
        self.let_go()
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()  # the driver dies with the watchdog; a broken pipe ends Chromium
            child.wait()

    def used_too_much(self) -> bool:
        """Return whether the watchdog ended the browser because of its memory."""
        child: subprocess.Popen[bytes] | None = getattr(self, "process", None)
        return child is not None and child.returncode == watchdog.MEMORY_EXIT

    def let_go(self) -> None:
        """Close the pipe that the watchdog waits on. Any thread may call this; it never blocks."""
        child: subprocess.Popen[bytes] | None = getattr(self, "process", None)
        if child is not None and child.stdin is not None:
            child.stdin.close()


def _connect(address: str) -> ChromeRemoteConnection:
    """Connect to our own driver directly, whatever proxy the environment names."""
    direct = Proxy({"proxyType": "DIRECT"})
    config = ClientConfig(address, proxy=direct, timeout=_ANSWER_SECONDS)
    return ChromeRemoteConnection(address, client_config=config)


class Driver:
    """A browser with one empty tab, to be used by one thread at a time.

    Attributes:
        pages: Number of pages shown so far.
        closed: Whether the browser has ended or is about to end.

    Raises:
        PageFailed: the browser did not start; the detail says why.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.pages = 0
        self.closed = False
        self._expired = False
        self._folder = Path(tempfile.mkdtemp(prefix="moodswarm-"))
        self._service = _WatchedService(setup, self._folder)
        with self.limit(_START_SECONDS, "the browser did not start"):
            self._service.start()
            connection = _connect(self._service.service_url)
            self.chrome = Remote(connection, options=make_options(setup, self._folder))
            self._prepare_tab()

    def command(self, name: str, **arguments: object) -> dict[str, Any]:
        """Send one command of the Chrome DevTools Protocol to the tab."""
        sent = {"cmd": name, "params": arguments}
        answer: dict[str, Any] = self.chrome.execute("executeCdpCommand", sent)["value"]
        return answer

    @contextmanager
    def limit(self, seconds: float, what: str) -> Iterator[None]:
        """End the browser if the block takes too long or fails, and turn errors into our own.

        Raises:
            PageTimedOut: the time was over, here or within Chromium.
            PageFailed: the browser or its driver broke.
            PageRefused: the browser's memory grew over its limit.
        """
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except BaseException as error:
            self.close()
            if self._expired or isinstance(error, TimeoutException):
                raise PageTimedOut(f"{what} within {seconds:g} seconds") from None
            if self._service.used_too_much():
                limit = self.setup.memory_mib
                raise PageRefused("too_large", f"Chromium took over {limit} MiB for it") from None
            if isinstance(error, DRIVER_ERRORS):
                raise PageFailed("browser_crashed", str(error)) from error
            raise
        finally:
            timer.cancel()

    def renew_tab(self) -> None:
        """Remove all that the page left: windows, scripts, cookies, storage, cache and name."""
        self.chrome.switch_to.new_window("tab")
        fresh = self.chrome.current_window_handle
        for handle in self.chrome.window_handles:
            if handle != fresh:
                self.chrome.switch_to.window(handle)
                self.chrome.close()
        self.chrome.switch_to.window(fresh)
        self.command("Storage.clearDataForOrigin", origin="*", storageTypes="all")
        self.command("Network.clearBrowserCookies")
        self.command("Network.clearBrowserCache")
        self._prepare_tab()

    def close(self) -> None:
        """End the browser and remove its files; closing twice is fine."""
        self.closed = True
        self._service.stop()
        shutil.rmtree(self._folder, ignore_errors=True)  # if the watchdog never ran

    def abandon(self) -> None:
        """Begin to end the browser. Any thread may call this; it never blocks."""
        self.closed = True
        self._service.let_go()

    def _expire(self) -> None:
        self._expired = True
        self.abandon()

    def _prepare_tab(self) -> None:
        self.command("Network.enable")
        self.command("Network.setBlockedURLs", urls=BLOCKED)
        self.command("Page.setDownloadBehavior", behavior="deny")
        self.command("Page.addScriptToEvaluateOnNewDocument", source=PRELUDE)
