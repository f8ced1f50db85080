"""One site and one pool of browsers per module; its tests share them, as pages in a crawl do."""

from collections.abc import Callable, Iterator

import pytest

from crawl.browser.site import Site, serve
from moodswarm.crawl.browser.chromium import Setup, find_browser
from moodswarm.crawl.browser.page import Page, Visit
from moodswarm.crawl.browser.pool import BrowserPool

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_browser() is None:
        skip = pytest.mark.skip(reason="chromium and chromedriver are not on PATH")
        for item in items:
            if "needs_chromium" in item.fixturenames:  # type: ignore[attr-defined]
                item.add_marker(skip)


@pytest.fixture(scope="session")
def needs_chromium() -> None:
    """Mark the tests that are skipped if there is no browser."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve() as running:
        yield running


def make_setup(**changed: object) -> Setup:
    paths = find_browser()
    assert paths
    values: dict[str, object] = {
        "browser": paths.browser,
        "driver": paths.driver,
        "user_agent": "MoodSwarm test",
        "proxy": None,
        "page_seconds": 30.0,
        "page_bytes": 1_000_000,
    }
    return Setup(**{**values, **changed})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pool(needs_chromium: None) -> Iterator[BrowserPool]:
    made = BrowserPool(1)
    yield made
    made.close()


@pytest.fixture
def open_page(pool: BrowserPool, site: Site) -> Open:
    """Return a function that opens a path of the site."""

    def open_path(path: str, scrolls: int = 0, **more: object) -> Page:
        return pool.open(make_setup(), Visit(site.url(path), scrolls, **more))  # type: ignore[arg-type]

    return open_path
