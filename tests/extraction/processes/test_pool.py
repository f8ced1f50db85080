"""The pool: a bad page harms only itself, never the others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.processes.pool import ExtractionPool

URL = "https://solano.example/notes/a"
PAGE = b"<body><article><h1>Hinges</h1>" + b"<p>The shed door speaks first, in autumn.</p>" * 9
# This page stays within every limit, yet the steps after the parser take quadratic time.
SLOW = b"<body>" + b"<div class=highlight>" * 200 + b"<pre>a</pre>" * 20_000


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    with ExtractionPool(1, 30.0, 3_000_000, 1_024) as one:
        yield one


def worker_of(parent: int) -> int:
    """Return the youngest child: other tests may have left servers of their own running."""
    files = Path(f"/proc/{parent}/task").glob("*/children")
    children = [int(child) for file in files for child in file.read_text().split()]
    return max(children, key=lambda child: stat(child)[19])


def ticks(worker: int) -> int:
    """Return the CPU time that a process has used."""
    return stat(worker)[11]


def stat(process: int) -> list[int]:
    """Return the numbers in a process's `stat` that follow its state, from the third field on."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, fields[1:])]


def test_a_page_becomes_the_same_article_each_time(pool: ExtractionPool) -> None:
    outcomes = [pool.submit(PAGE, URL).result(60) for _ in range(3)]
    assert all(isinstance(outcome, Article) for outcome in outcomes)
    assert len(set(outcomes)) == 1


def test_a_page_that_takes_too_long_is_refused_and_the_next_goes_on() -> None:
    with ExtractionPool(1, 1.0, 3_000_000, 1_024) as pool:
        slow, next_one = pool.submit(SLOW, URL), pool.submit(PAGE, URL)
        assert slow.result(60) == Refused("too_slow", "not done within 1 seconds")
        assert isinstance(next_one.result(60), Article)


def test_a_page_that_takes_too_much_memory_is_refused_and_the_next_goes_on() -> None:
    with ExtractionPool(1, 60.0, 50_000_000, 256) as pool:
        huge = b"<body>" + b"<p>word " * 90_000 + b"x" * 40_000_000
        outcome = pool.submit(huge, URL).result(60)
        assert isinstance(outcome, Refused)
        assert outcome.reason in ("out_of_memory", "crashed")
        assert isinstance(pool.submit(PAGE, URL).result(60), Article)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_worker_costs_only_its_own_page(pool: ExtractionPool) -> None:
    assert isinstance(pool.submit(PAGE, URL).result(60), Article)
    worker = worker_of(os.getpid())
    before = ticks(worker)
    slow, others = pool.submit(SLOW, URL), [pool.submit(PAGE, URL) for _ in range(3)]
    while ticks(worker) < before + 20:  # until the worker is at work on the page
        time.sleep(0.01)
    os.kill(worker, signal.SIGKILL)
    assert slow.result(60) == Refused("crashed", "its worker ended with exit code -9")
    assert all(isinstance(other.result(60), Article) for other in others)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_was_killed_while_idle_costs_nothing(pool: ExtractionPool) -> None:
    assert isinstance(pool.submit(PAGE, URL).result(60), Article)
    os.kill(worker_of(os.getpid()), signal.SIGKILL)
    assert isinstance(pool.submit(PAGE, URL).result(60), Article)


def test_closing_ends_pages_in_progress_and_in_the_queue() -> None:
    pool = ExtractionPool(1, 60.0, 3_000_000, 1_024)
    assert isinstance(pool.submit(PAGE, URL).result(60), Article)
    outcomes = [pool.submit(SLOW, URL), pool.submit(PAGE, URL)]
    pool.close()
    stopped = Refused("crashed", "extraction was stopped")
    assert [outcome.result(10) for outcome in outcomes] == [stopped, stopped]
    assert pool.submit(PAGE, URL).result(1) == stopped


def test_too_many_bytes_never_reach_a_worker() -> None:
    with ExtractionPool(1, 60.0, 10, 1_024) as pool:
        assert pool.submit(b"x" * 11, URL).result(1).reason == "too_large"  # type: ignore[union-attr]


@pytest.mark.skipif(sys.platform != "linux", reason="a promise of the Linux kernel")
def test_no_worker_outlives_a_killed_parent() -> None:
    program = (
        "import os, signal\nfrom moodswarm.extraction.processes.pool import ExtractionPool\n"
        "pool = ExtractionPool(1, 60.0, 3_000_000, 1_024)\n"
        f"pool.submit({PAGE[:60]!r}, {URL!r}).result()\nos.write(1, b'ready')\n"
        f"pool.submit({SLOW[:30]!r} * 9, {URL!r})\nsignal.pause()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.read(5) == b"ready"
    worker = worker_of(parent.pid)
    watch = os.pidfd_open(worker)
    parent.kill()
    parent.communicate()
    import select

    assert select.select([watch], [], [], 30)[0], "the worker still runs"
    os.close(watch)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Return the modules that a process has loaded after extracting a page."""
    program = (
        "import sys\nfrom moodswarm.extraction.page import extract_page\n"
        f"extract_page({PAGE!r}, {URL!r})\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return set(done.stdout.decode().split())


@pytest.mark.parametrize("module", ["torch", "kedro", "scrapy", "pyarrow"])
def test_a_worker_never_loads(module: str, loaded: set[str]) -> None:
    assert "trafilatura" in loaded
    assert module not in loaded
