"""Where Chromium and its driver are. Nothing is ever downloaded."""

import shutil
from dataclasses import dataclass

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True, slots=True)
class BrowserPaths:
    """Two programs of the same version."""

    browser: str
    driver: str


def find_browser() -> BrowserPaths | None:
    """Return the first browser on PATH and its driver; `None` where one of them is missing."""
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return BrowserPaths(browser, driver) if browser and driver else None
