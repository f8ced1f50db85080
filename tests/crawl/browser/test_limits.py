"""The limits on a page, and the complete removal of a browser's processes and files."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from crawl.browser.conftest import make_setup
from crawl.browser.site import SHOWN, Site
from moodswarm.crawl.browser.errors import BrowserMissing, PageFailed, PageRefused, PageTimedOut
from moodswarm.crawl.browser.page import Page, Visit
from moodswarm.crawl.browser.pool import BrowserPool

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
_PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The folder of the pool that several tests share; `tmp_path` is too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="b-") as made:
        yield Path(made)


@pytest.fixture
def shared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for the browsers' files, which their command lines name."""
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a separate folder for the files of a browser that a test starts for itself."""
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def pool(needs_chromium: None, folder: Path) -> Iterator[BrowserPool]:
    """Yield a pool of one browser; each test stops the browser that the test before left."""
    with closing(BrowserPool(1)) as made:
        yield made


def open_page(pool: BrowserPool, site: Site, path: str, **limits: object) -> Page:
    """Open a page with these limits, and replace those that a running browser began with."""
    setup = make_setup(**limits)
    for driver in pool._idle:
        driver.setup = setup
    return pool.open(setup, Visit(site.url(path), 5))


def running(temporary: Path, kind: str = "") -> list[int]:
    """Return the processes whose command names the folder and contains the word `kind`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        ours = str(temporary).encode() in line and kind.encode() in line
        if ours and int(path.parent.name) != os.getpid():
            found.append(int(path.parent.name))
    return found


def wait_for(condition: object) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


@LINUX
@pytest.mark.parametrize(
    "path",
    [
        "/busy",
        pytest.param("/endless", marks=pytest.mark.slow),
        pytest.param("/data?wait=60", marks=pytest.mark.slow),
    ],
)
def test_a_page_that_never_ends_costs_its_time_and_its_browser(
    pool: BrowserPool, site: Site, shared: Path, path: str
) -> None:
    with pytest.raises(PageTimedOut, match="within 2 seconds"):
        open_page(pool, site, path, page_seconds=2.0)
    assert (running(shared), list(shared.iterdir())) == ([], [])
    assert SHOWN.encode() in open_page(pool, site, "/script").html


def test_a_page_that_takes_all_memory_loses_its_browser(needs_chromium: None, site: Site) -> None:
    with (
        closing(BrowserPool(1)) as pool,
        pytest.raises(PageRefused, match="over 700 MiB") as refused,
    ):
        open_page(pool, site, "/greedy", memory_mib=700)
    assert refused.value.reason == "too_large"


@LINUX
@pytest.mark.parametrize("victim", ["--type=renderer", "chromedriver"])
def test_a_crash_costs_one_page(pool: BrowserPool, site: Site, shared: Path, victim: str) -> None:
    site.asked.clear()
    ended = threading.Event()

    def crash() -> None:
        # Killed repeatedly, because a page may move to a new renderer when its old one dies.
        assert wait_for(lambda: "/busy" in site.asked)
        while not ended.wait(0.2):
            for pid in running(shared, victim):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=crash)
    thread.start()
    try:
        with pytest.raises(PageFailed) as failed:
            open_page(pool, site, "/busy", page_seconds=15.0)
    finally:
        ended.set()
        thread.join()
    assert failed.value.reason == "browser_crashed"
    assert SHOWN.encode() in open_page(pool, site, "/script").html


@LINUX
def test_nothing_is_left_after_a_pool_is_closed_at_work(
    needs_chromium: None, site: Site, temporary: Path
) -> None:
    pool = BrowserPool(1)
    site.asked.clear()
    future = pool.threads.submit(pool.open, make_setup(), Visit(site.url("/busy"), 0))
    assert wait_for(lambda: "/busy" in site.asked)
    pool.close()
    assert isinstance(future.exception(), PageFailed)
    assert (running(temporary), list(temporary.iterdir())) == ([], [])


_CRAWLER = """
import sys, tempfile
tempfile.tempdir = sys.argv[2]
from crawl.browser.conftest import make_setup
from moodswarm.crawl.browser.page import Visit
from moodswarm.crawl.browser.pool import BrowserPool
BrowserPool(1).open(make_setup(), Visit(sys.argv[1], 0))
"""


@LINUX
def test_nothing_is_left_after_the_crawler_is_killed(
    needs_chromium: None, site: Site, temporary: Path
) -> None:
    site.asked.clear()
    crawler = subprocess.Popen(
        [sys.executable, "-c", _CRAWLER, site.url("/busy"), str(temporary)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert wait_for(lambda: "/busy" in site.asked)
    assert len(running(temporary)) > 3
    crawler.kill()
    crawler.wait()
    assert wait_for(lambda: not running(temporary) and not list(temporary.iterdir()))


def test_a_browser_that_does_not_start_is_tried_twice_and_then_no_more(
    needs_chromium: None, tmp_path: Path
) -> None:
    broken = tmp_path / "chromium"
    broken.write_text(f"#!/bin/sh\necho started >> {tmp_path}/starts\nexit 1\n")
    broken.chmod(0o755)
    pool = BrowserPool(1)
    for _ in range(3):
        with pytest.raises(BrowserMissing, match="does not start .*apt-get install chromium"):
            pool.open(make_setup(browser=str(broken)), Visit("http://127.0.0.1/", 0))
    pool.close()
    assert (tmp_path / "starts").read_text().count("started") == 2
