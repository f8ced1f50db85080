"""Crawl pages from a local server with our crawler, and with programs one could write by hand.

Run: python benchmarks/crawl.py [--pages 2000] [--json FILE]

Pages of about 30 KB come from a server in a separate process, on eight addresses of this machine.
The same pages are read by our crawler as `kedro run` starts it, by a loop that calls requests and
trafilatura, and by Scrapy with trafilatura in the callback. Costs are measured after the first
tenth of the pages, which leaves imports out: milliseconds of CPU time per page, in the crawling
process and in the processes it started. "Lag" is the longest delay of a timer in the event loop.
"Growth" is the peak memory of the crawling process over all pages, divided by its peak over the
first tenth. "Busy" is the share of the machine's cores that were in use, including by the server
and any other program. To compare memory, use --pages 20000.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crawl_pages import HOSTS, serve_pages, watch_loop

GOALS = {"crawler_ms": 6.0, "lag": 0.25, "busy": 0.85, "growth": 1.15}
EXTRACT: dict[str, Any] = {"output_format": "markdown", "with_metadata": True}
WARM = 0.1
LOOK_SECONDS = 0.05
TICK = os.sysconf("SC_CLK_TCK")
SPAWN = multiprocessing.get_context("spawn")
Row = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=2_000)
    parser.add_argument("--only-ours", action="store_true", help="skip the rivals")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_child(*options.child)
        return
    with TemporaryDirectory() as folder, server() as port:
        urls = [f"http://{HOSTS[n % len(HOSTS)]}:{port}/{n}" for n in range(options.pages)]
        rows = {"ours": measure_child(urls, port, Path(folder))}
        if not options.only_ours:
            rows["requests + trafilatura"] = measure(loop_requests, urls)
            rows["Scrapy, trafilatura inline"] = measure(crawl_inline, urls)
    show(rows, options.pages)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


def show(rows: dict[str, Row], pages: int) -> None:
    """Print the table, with ratios to our crawler, and the goals."""
    ours = rows["ours"]
    print(f"{pages} pages, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    print(
        f"{'':27} {'pages/s':>8} {'ratio':>6} {'crawler':>9} {'others':>8} {'sum':>8} {'lag':>7}"
        f" {'busy':>6} {'10 %':>9} {'all':>9} {'growth':>7}"
    )
    for name, row in rows.items():
        lag = f"{row['lag']:5.2f} s" if "lag" in row else "      -"
        print(
            f"{name:27} {row['rate']:8.1f} {row['rate'] / ours['rate']:6.2f}"
            f" {row['crawler_ms']:6.2f} ms {row['other_ms']:5.1f} ms"
            f" {row['crawler_ms'] + row['other_ms']:5.1f} ms {lag} {row['busy']:6.0%}"
            f" {row['warm_mib']:5.0f} MiB {row['peak_mib']:5.0f} MiB {row['growth']:7.2f}"
        )
    print(f"ours, lag at the start: {ours['lag_at_start']:.2f} s")
    for name, goal in GOALS.items():
        met = ours[name] >= goal if name == "busy" else ours[name] <= goal
        print(f"ours, {name}: {ours[name]:.2f}, goal {goal:g}: {'met' if met else 'MISSED'}")


def measure_child(urls: list[str], port: int, folder: Path) -> Row:
    """Run our crawler and count its events."""
    spec, lag = write_spec(urls, port, folder), folder / "lag"
    reading, writing = os.pipe()
    command = [sys.executable, __file__, "--child", str(spec), str(writing), str(lag)]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, pass_fds=[writing], stderr=log, start_new_session=True)
    os.close(writing)
    watch = Watch(child.pid, len(urls))
    outcomes: dict[str, int] = {}
    with os.fdopen(reading, "rb") as pipe:
        for line in pipe:
            event = json.loads(line)
            if event["type"] == "visited":
                outcome = f"{event['outcome']} {event['reason'] or ''}".strip()
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                watch.note()
    row = watch.end()
    child.wait()
    if outcomes != {"fetched": len(urls)}:
        raise SystemExit(
            f"some pages did not become documents: {outcomes}\n{(folder / 'log').read_text()}"
        )
    return {**row, **watch.lags(json.loads(lag.read_text()))}


def write_spec(urls: list[str], port: int, folder: Path) -> Path:
    """Write the specification that a crawl's parent process would, with every page as a link."""
    from moodswarm.crawl.spec import CrawlSpec, Egress, KnownLink, Limits, Manners, Source

    homes = [f"http://{host}:{port}/" for host in HOSTS]
    sources = [
        Source(id=h, author_full_name="Ada Lovelace", link=h, platform="web", discover=True)
        for h in homes
    ]
    with (folder / "links.jsonl").open("w") as lines:
        for number, url in enumerate(urls):
            home = homes[number % len(homes)]
            known = KnownLink(
                source_id=home, url=url, role="page", depth=1, ask=True, found_on=home
            )
            lines.write(known.model_dump_json() + "\n")
    spec = CrawlSpec(
        sources=tuple(sources),
        links=str(folder / "links.jsonl"),
        statistics=str(folder / "statistics.json"),
        limits=Limits(pages_per_source=len(urls), depth=1),
        manners=Manners(delay_seconds=0, requests_at_once_per_domain=8),
        egress=Egress(allow=tuple(f"{host}:{port}" for host in HOSTS)),
    )
    path = folder / "spec.json"
    path.write_text(spec.model_dump_json())
    return path


def run_child(spec: str, events_fd: str, lag: str) -> None:
    """Run as the crawler's child process, with a timer in its event loop."""
    from moodswarm.crawl.child import Crawl
    from moodswarm.crawl.spec import CrawlSpec

    crawl = Crawl(CrawlSpec.model_validate_json(Path(spec).read_bytes()), int(events_fd))
    late = watch_loop(crawl._loop)
    crawl.run()
    Path(lag).write_text(json.dumps(late))


def measure(work: Callable[[list[str], Connection], None], urls: list[str]) -> Row:
    """Run a rival in a separate process, which sends a message per page, and its lag at the end."""
    here, there = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=work, args=(urls, there))
    child.start()
    there.close()
    assert child.pid
    watch = Watch(child.pid, len(urls))
    for _ in urls:
        if not here.recv():
            raise SystemExit(f"{work.__name__}: a page was not read")
        watch.note()
    row = watch.end()
    late = here.recv()
    child.join()
    return {**row, **watch.lags(late)} if late is not None else row


def loop_requests(urls: list[str], told: Connection) -> None:
    import requests
    import trafilatura

    with requests.Session() as session:
        for url in urls:
            body = session.get(url, timeout=30).content
            told.send(bool(trafilatura.extract(body, **EXTRACT)))
    told.send(None)


def crawl_inline(urls: list[str], told: Connection) -> None:
    import asyncio

    import trafilatura
    from scrapy import Request, Spider
    from scrapy.crawler import AsyncCrawlerProcess

    class Inline(Spider):
        name = "inline"

        async def start(self) -> Any:
            self.late = watch_loop(asyncio.get_running_loop())
            for url in urls:
                yield Request(url)

        def parse(self, response: Any) -> None:
            told.send(bool(trafilatura.extract(response.body, **EXTRACT)))

        def closed(self, _reason: str) -> None:
            told.send(self.late)

    settings = {
        "LOG_LEVEL": "WARNING",
        "CONCURRENT_REQUESTS": 32,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
    }
    crawler = AsyncCrawlerProcess(settings)
    crawler.crawl(Inline)
    crawler.start()


class Watch:
    """CPU time and memory of a process and its descendants, from /proc, as its pages arrive."""

    def __init__(self, pid: int, pages: int) -> None:
        self._pid, self._pages = pid, pages
        self._done = 0
        self._looked = 0.0
        self._others: dict[int, float] = {}
        self._peak = 0.0
        self._warm: tuple[float, float, float, float, float, int] | None = None

    def note(self) -> None:
        """Count a page."""
        self._done += 1
        last = self._done == self._pages
        warm = self._warm is None and self._done >= WARM * self._pages
        if warm or last or time.monotonic() - self._looked > LOOK_SECONDS:
            self._look()
        if warm:
            self._warm = (*self._now(), self._peak, self._done)

    def end(self) -> Row:
        """Return the cost of the pages after the first tenth."""
        assert self._warm, "no page arrived"
        clock, crawler, others, idle, warm, done = self._warm
        now = self._now()
        pages, seconds = self._done - done, now[0] - clock
        used = (now[1] - crawler, now[2] - others)
        return {
            "rate": pages / seconds,
            "crawler_ms": 1_000 * used[0] / pages,
            "other_ms": 1_000 * used[1] / pages,
            "busy": 1 - (now[3] - idle) / seconds / (os.cpu_count() or 1),
            "warm_mib": warm,
            "peak_mib": self._peak,
            "growth": self._peak / warm,
        }

    def lags(self, late: list[tuple[float, float]]) -> Row:
        """Return the longest lag after the first tenth of the pages, and before that."""
        assert self._warm
        start = self._warm[0]
        return {
            "lag": max((seconds for at, seconds in late if at >= start), default=0.0),
            "lag_at_start": max((seconds for at, seconds in late if at < start), default=0.0),
        }

    def _now(self) -> tuple[float, float, float, float]:
        return time.monotonic(), self._cpu, sum(self._others.values()), idle_seconds()

    def _look(self) -> None:
        self._looked = time.monotonic()
        status = Path(f"/proc/{self._pid}/status").read_text()
        self._peak = max(self._peak, int(status.partition("VmRSS:")[2].split()[0]) / 1024)
        self._cpu = cpu_seconds(self._pid)
        for pid in below(self._pid):
            with suppress(OSError):
                self._others[pid] = cpu_seconds(pid)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def idle_seconds() -> float:
    """Return the idle time of all cores, added up."""
    fields = Path("/proc/stat").read_text().split(maxsplit=6)
    return (int(fields[4]) + int(fields[5])) / TICK


def below(pid: int) -> Iterator[int]:
    """Yield the descendants of a process, whichever of its threads started them."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from below(child)


@contextmanager
def server() -> Iterator[int]:
    """Run the server in a separate process and yield its port."""
    here, there = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=serve_pages, args=(there,), daemon=True)
    child.start()
    try:
        yield here.recv()
    finally:
        child.terminate()
        child.join()


if __name__ == "__main__":
    main()
