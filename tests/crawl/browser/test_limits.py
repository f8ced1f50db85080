"""What a page may cost, and that a browser's end is the end of all of it."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from crawl.browser.conftest import make_setup
from crawl.browser.site import SHOWN, Site
from moodswarm.crawl.browser.chromium import Setup
from moodswarm.crawl.browser.errors import BrowserMissing, PageFailed, PageRefused, PageTimedOut
from moodswarm.crawl.browser.page import Visit
from moodswarm.crawl.browser.pool import BrowserPool

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
_PATIENCE_SECONDS = 20.0


@pytest.fixture
def pool(needs_chromium: None, temporary: Path) -> Iterator[BrowserPool]:
    made = BrowserPool(1)
    yield made
    made.close()


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where browsers of this test have their files, which are named in their command lines.

    `tmp_path` is too long for a socket.
    """
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        yield Path(folder)


def running(temporary: Path, kind: str = "") -> list[int]:
    """Return the processes that have files in the folder, and the word in their command."""
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


def hasty() -> Setup:
    return make_setup(page_seconds=3.0)


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
    pool: BrowserPool, site: Site, temporary: Path, path: str
) -> None:
    with pytest.raises(PageTimedOut, match="within 3 seconds"):
        pool.open(hasty(), Visit(site.url(path), 5))
    assert (running(temporary), list(temporary.iterdir())) == ([], [])
    assert SHOWN.encode() in pool.open(make_setup(), Visit(site.url("/script"), 0)).html


def test_a_page_that_takes_all_memory_loses_its_browser(pool: BrowserPool, site: Site) -> None:
    with pytest.raises(PageRefused, match="over 700 MiB") as refused:
        pool.open(make_setup(memory_mib=700), Visit(site.url("/greedy"), 0))
    assert refused.value.reason == "too_large"


@LINUX
@pytest.mark.parametrize("victim", ["--type=renderer", "chromedriver"])
def test_a_crash_costs_one_page(
    pool: BrowserPool, site: Site, temporary: Path, victim: str
) -> None:
    site.asked.clear()
    ended = threading.Event()

    def crash() -> None:
        # More than once: a page may move to a fresh renderer as its old one is killed.
        assert wait_for(lambda: "/busy" in site.asked)
        while not ended.wait(0.2):
            for pid in running(temporary, victim):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=crash)
    thread.start()
    try:
        with pytest.raises(PageFailed) as failed:
            pool.open(make_setup(page_seconds=15.0), Visit(site.url("/busy"), 0))
    finally:
        ended.set()
        thread.join()
    assert failed.value.reason == "browser_crashed"
    assert SHOWN.encode() in pool.open(make_setup(), Visit(site.url("/script"), 0)).html


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
