"""The parent's side of a crawl: events in order, true reasons, nothing left behind."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from moodswarm.crawl.events import Event, Visited
from moodswarm.crawl.parent import CrawlStopped, start_crawl
from moodswarm.crawl.spec import CrawlSpec, Limits

BEGINNING = """
import json, os, signal, subprocess, sys, time
fd = int(sys.argv[sys.argv.index("--events-fd") + 1])
spec = json.load(open(sys.argv[1]))
def tell(**event):
    os.write(fd, json.dumps(event).encode() + b"\\n")
def visit(number):
    tell(type="visited", source_id="s", url=f"https://a.example/{number}", role="page", depth=1,
         outcome="fetched", visited_at="2026-05-01T12:00:00Z", document={"content": "x" * 100000})
def finish(reason="finished"):
    tell(type="finished", reasons={"web": reason})
"""


@pytest.fixture
def run(tmp_path: Path) -> "Run":
    return Run(tmp_path)


class Run:
    """Runs small programs in place of the crawler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.spec = CrawlSpec(sources=(), links="links", statistics="statistics", limits=Limits())

    def __call__(self, program: str) -> list[Event]:
        script = self.folder / "child.py"
        script.write_text(BEGINNING + program, encoding="utf-8")
        with start_crawl(self.spec, self.folder, (sys.executable, str(script))) as child:
            self.events += (event for event in child if event)
        child.complain()
        return self.events


def urls(events: list[Event]) -> list[str]:
    return [event.url.rpartition("/")[2] for event in events if isinstance(event, Visited)]


def test_events_come_in_order_however_large(run: Run) -> None:
    assert urls(run("for n in range(40): visit(n)\nfinish()")) == [str(n) for n in range(40)]


def test_a_spider_that_ended_early_is_named_after_all_its_events(run: Run) -> None:
    with pytest.raises(CrawlStopped, match="spider web memusage_exceeded.*to continue"):
        run("visit(1)\nfinish('memusage_exceeded')")
    assert urls(run.events) == ["1"]


def test_an_exit_code_of_zero_without_an_end_is_not_believed(run: Run) -> None:
    with pytest.raises(CrawlStopped, match=r"its process died \(exit code 0\)"):
        run("visit(1)")


def test_a_killed_child_is_named_and_its_half_event_is_dropped(run: Run) -> None:
    with pytest.raises(CrawlStopped, match="SIGKILL"):
        run('visit(1)\nos.write(fd, b\'{"type": "vis\')\nos.kill(os.getpid(), signal.SIGKILL)')
    assert urls(run.events) == ["1"]


def test_a_crawl_that_never_ends_is_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moodswarm.crawl.parent._OVERTIME_SECONDS", 0.5)
    run.spec = run.spec.model_copy(update={"limits": Limits(hours=1e-9)})
    with pytest.raises(CrawlStopped, match="time limit"):
        run("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nvisit(1)\ntime.sleep(60)")


def test_nothing_that_the_crawler_started_outlives_it(run: Run) -> None:
    run(
        "other = subprocess.Popen(['sleep', '60'])\n"
        "open(os.path.dirname(sys.argv[1]) + '/pid', 'w').write(str(other.pid))\nfinish()"
    )
    pid = int((run.folder / "pid").read_text())
    while _lives(pid):  # a signal takes a moment; if it never comes, the test times out
        time.sleep(0.01)


def test_ctrl_c_stops_the_crawler_and_keeps_its_last_events(run: Run) -> None:
    program = (
        "def stop(*_):\n    visit(2)\n    finish('shutdown')\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\nvisit(1)\n"
        "open(os.path.dirname(sys.argv[1]) + '/ready', 'w').close()\ntime.sleep(60)"
    )
    before = signal.getsignal(signal.SIGINT)
    threading.Thread(target=_interrupt, args=(run.folder / "ready",)).start()
    with pytest.raises(KeyboardInterrupt):
        run(program)
    assert urls(run.events) == ["1", "2"]
    assert signal.getsignal(signal.SIGINT) is before


def _interrupt(ready: Path) -> None:
    while not ready.exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def _lives(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
