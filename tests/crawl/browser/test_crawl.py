"""The middleware in a crawl, in a separate process because a reactor starts only once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawl.browser.site import SHOWN, Site


def crawl(site: Site, plain: list[str], shown: list[str], **settings: Any) -> dict[str, Any]:
    """Crawl the plain paths of the site without a browser, and the shown ones in a browser."""
    settings = {
        "allow": [f"127.0.0.1:{site.port}"],
        "browser": {},
        "RETRY_TIMES": 1,
        "ROBOTSTXT_OBEY": False,
        **settings,
    }
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("crawl_site.py")),
            json.dumps(settings),
            json.dumps([site.url(path) for path in plain]),
            json.dumps([site.url(path) for path in shown]),
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        timeout=120,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def mixed(needs_chromium: None, site: Site) -> dict[str, Any]:
    """Return the result of a crawl with plain pages and browser pages."""
    shown = [*["/late"] * 5, "/agent", "/status/503"]
    more = {"HTTPERROR_ALLOW_ALL": True, "CONCURRENT_REQUESTS_PER_DOMAIN": 8}
    return crawl(site, ["/script"] * 50, shown, **more)


@pytest.fixture(scope="module")
def pages(mixed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the pages of the mixed crawl, by their addresses."""
    return {page["url"]: page for page in mixed["came"]}


def test_a_crawl_mixes_plain_and_browser_pages(pages: dict[str, Any], site: Site) -> None:
    assert pages[site.url("/script")]["text"] == ""
    assert pages[site.url("/agent")]["text"] == "MoodSwarm test"
    assert pages[site.url("/late")]["text"] == SHOWN
    assert pages[site.url("/late")]["flags"] == ["browser"]


def test_a_retry_keeps_what_was_asked(pages: dict[str, Any], site: Site) -> None:
    page = pages[site.url("/status/503")]
    assert (page["status"], page["scrolls"]) == (503, 1)
    assert site.asked.count("/status/503") == 2


def test_robots_txt_is_asked_before_a_browser(needs_chromium: None, site: Site) -> None:
    site.pages["/robots.txt"] = "User-agent: *\nDisallow: /agent"
    site.asked.clear()
    [page] = crawl(site, [], ["/agent"], ROBOTSTXT_OBEY=True)["came"]
    del site.pages["/robots.txt"]
    assert page["reason"] == "IgnoreRequest"
    assert "/agent" not in site.asked


@pytest.mark.parametrize("use", ["never", "auto"])
def test_without_a_browser_the_reason_is_named(site: Site, use: str, tmp_path: Path) -> None:
    path = os.environ["PATH"]
    try:
        os.environ["PATH"] = str(tmp_path) if use == "auto" else path
        [page] = crawl(site, [], ["/agent"], browser={"use": use})["came"]
    finally:
        os.environ["PATH"] = path
    assert page["reason"] == "needs_browser"


def test_slow_browser_pages_hold_up_no_plain_page(mixed: dict[str, Any], site: Site) -> None:
    urls = [page["url"] for page in mixed["came"]]
    assert (urls.count(site.url("/late")), urls.count(site.url("/script"))) == (5, 50)
    assert site.url("/late") not in urls[:50]
    print(f"longest stop of the event loop: {mixed['lag']:.3f} s")  # noqa: T201
