"""Finds Chromium, and starts it so that it sends no requests of its own, and none past the proxy.

Neither Chromium nor its driver is ever downloaded.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from selenium.webdriver import ChromeOptions

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
#: A tall window, so that content which loads when it comes into view loads sooner.
WIDTH, HEIGHT = 1280, 2400
#: The longest folder for Chromium's files: Chromium hangs if the path of its socket, which is 44
#: characters longer than the folder's, exceeds 104 characters.
_LONGEST_FOLDER = 58
_QUIET = (
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio", "--no-first-run",
    "--no-default-browser-check", "--disable-default-apps", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-domain-reliability", "--disable-client-side-phishing-detection",
    "--disable-breakpad", "--disable-notifications", "--deny-permission-prompts", "--no-pings",
    "--metrics-recording-only", "--password-store=basic", "--use-mock-keychain",
    "--disable-features=Translate,MediaRouter,OptimizationHints,DnsOverHttps",
)  # fmt: skip
_UNUSED = ("--blink-settings=imagesEnabled=false", "--js-flags=--max-old-space-size=512")
#: Files that the text of a page never needs. A switch above turns images off.
BLOCKED = [
    f"*.{ending}"
    for kind in ("woff woff2 ttf otf eot", "mp4 webm ogg mp3 m4a m3u8 mov avi", "zip gz exe dmg")
    for ending in kind.split()
]


@dataclass(frozen=True, slots=True)
class BrowserPaths:
    """The paths of Chromium and its driver, which should have the same version."""

    browser: str
    driver: str


def find_browser() -> BrowserPaths | None:
    """Return the first browser on PATH and its driver; None if one of them is missing."""
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return BrowserPaths(browser, driver) if browser and driver else None


def _never_refused(_url: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings that all browsers of a crawl have in common.

    Attributes:
        proxy: Address of the egress proxy; `None` only in a test.
        refusal: A function that returns why the proxy refused an address; Chromium does not report
            the reason.
        page_seconds: Time for a whole page, from the request to the text of the page.
        page_bytes: A longer page is refused.
        memory_mib: Limit on the anonymous memory of all the browser's processes together; above it,
            the browser is ended.
    """

    browser: str
    driver: str
    user_agent: str
    proxy: str | None
    page_seconds: float
    page_bytes: int
    memory_mib: int = 2_048
    refusal: Callable[[str], str | None] = _never_refused


def make_options(setup: Setup, folder: Path) -> ChromeOptions:
    """Return the options for a browser that keeps all its files in `folder`."""
    options = ChromeOptions()
    options.binary_location = setup.browser
    options.page_load_strategy = "eager"
    options.unhandled_prompt_behavior = "dismiss"
    options.timeouts = {
        "pageLoad": int(1_000 * setup.page_seconds),
        "script": int(1_000 * setup.page_seconds),
    }
    # Chromedriver would allow pages to open windows, unlike Chromium itself.
    options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    options.add_experimental_option("prefs", _preferences())
    for argument in [*_QUIET, *_UNUSED, *_network(setup.proxy)]:
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={folder / 'profile'}")
    options.add_argument(f"--user-agent={setup.user_agent}")
    options.add_argument(f"--window-size={WIDTH},{HEIGHT}")
    # With a pipe, the browser ends with its driver, and no port is open to other users.
    options.add_argument("--remote-debugging-pipe")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # As root, Chromium refuses to start with a sandbox.
    return options


def _preferences() -> dict[str, object]:
    return {
        "download_restrictions": 3,
        "dns_prefetching.enabled": False,
        "net.network_prediction_options": 2,
        "search.suggest_enabled": False,
        "webrtc.ip_handling_policy": "disable_non_proxied_udp",
        "safebrowsing.enabled": False,
        "credentials_enable_service": False,
        "profile.default_content_setting_values.notifications": 2,
        "profile.default_content_setting_values.geolocation": 2,
    }


def _network(proxy: str | None) -> list[str]:
    """Return the switches that leave only one way to the network."""
    arguments = [
        "--disable-quic",
        # Chromium 150 ignores the old name, which began with "force-"; with that, UDP leaks.
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--dns-prefetch-disable",
    ]
    if proxy is None:
        return [*arguments, "--no-proxy-server"]
    host = urlsplit(proxy).hostname
    return [
        *arguments,
        f"--proxy-server={proxy}",
        # Without this, Chromium reaches addresses of its own machine directly.
        "--proxy-bypass-list=<-loopback>",
        f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host}",
    ]


def make_environment(folder: Path) -> dict[str, str]:
    """Return the browser's environment, without secrets; its home folder is removed later."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ
    }
    home = str(folder)
    return {
        **kept,
        "HOME": home,
        "TMPDIR": home if len(home) <= _LONGEST_FOLDER else tempfile.gettempdir(),
        "XDG_CONFIG_HOME": home,
        "XDG_CACHE_HOME": home,
        # If Selenium's own program were ever started, it would download and report nothing.
        "SE_OFFLINE": "true",
        "SE_AVOID_STATS": "true",
    }
