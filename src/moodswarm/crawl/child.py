"""The child process of a crawl: `python -m moodswarm.crawl.child spec.json --events-fd N`.

The process runs one spider per platform, all in one event loop. It writes events to the file
descriptor N, with `Finished` as the last event, and Scrapy's statistics to the path that the spec
names. On SIGTERM, the process ends soon: it finishes the pages that are under way, and the other
links stay in the ledger. When nobody reads the events any more, the process immediately kills
itself and everything it started, since further work would be lost.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moodswarm.crawl.spec import CrawlSpec

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
#: Pages under way have this long to finish after SIGTERM; the parent waits a little longer.
GRACE_SECONDS = 15.0
# At every start, these loggers repeat messages that never change.
_QUIET = ("scrapy.addons", "scrapy.crawler", "scrapy.middleware", "scrapy.utils.log")


class Crawl:
    """One crawl, from the spec to the last event."""

    def __init__(self, spec: CrawlSpec, events_fd: int) -> None:
        # While Scrapy loads this module, it inspects the whole call stack. Here the stack is short.
        # Inside the reactor, the stack would be ninety frames deep, and inspecting it would take
        # 0.2 CPU-seconds more.
        import scrapy.core.downloader.contextfactory  # noqa: F401
        from scrapy.crawler import AsyncCrawlerProcess
        from scrapy.settings import Settings

        from moodswarm.crawl import settings as project
        from moodswarm.crawl.event_pipe import EventPipe
        from moodswarm.crawl.session import Session

        settings = Settings()
        settings.setmodule(project)
        decided = project.settings_of(spec.limits, spec.manners, spec.egress, spec.browser)
        settings.setdict(decided, priority="cmdline")
        self._spec = spec
        self._scrapy = AsyncCrawlerProcess(settings)
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._loop = asyncio.get_event_loop()
        self._pipe = EventPipe(events_fd, end_group)  # called when the reader has gone
        self._session = Session(spec, self._pipe)
        self._crawlers: dict[str, Crawler] = {}
        self._last_word = threading.Lock()  # acquired only once, and never released

    def run(self) -> None:
        """Crawl until nothing is left to do, or until the crawl has to end."""
        for name in sorted({source.platform for source in self._spec.sources}):
            self._crawlers[name] = crawler = self._scrapy.create_crawler(name)
            self._scrapy.crawl(crawler, session=self._session)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop)
        # Everything that is loaded by now stays loaded. Searching it for garbage would only stop
        # the event loop for 40 ms.
        gc.freeze()
        if self._crawlers:
            self._scrapy.start(install_signal_handlers=False)
        self._session.close()
        self._conclude()

    def _conclude(self) -> None:
        from moodswarm.crawl.events import Finished

        if not self._last_word.acquire(blocking=False):
            return
        statistics = {name: _statistics(crawler) for name, crawler in self._crawlers.items()}
        write_atomically(Path(self._spec.statistics), json.dumps(statistics, default=str, indent=1))
        reasons = {
            name: str(stats.get("finish_reason") or "stopped") for name, stats in statistics.items()
        }
        self._pipe.finish(Finished(reasons=reasons))

    def _stop(self) -> None:
        if self._session.stopping.is_set():
            return
        self._session.stopping.set()
        logger.info("stopping; pages that are under way are finished")
        late = threading.Timer(GRACE_SECONDS, self._give_up)
        late.daemon = True
        late.start()
        self._stopped = self._loop.create_task(self._scrapy.stop())

    def _give_up(self) -> None:
        """Kill this process and everything it started, because stopping took too long."""
        with suppress(OSError):
            self._conclude()
        end_group()


def _statistics(crawler: "Crawler") -> dict[str, Any]:
    """Return a spider's statistics, or an empty dict if the spider could not even be set up."""
    try:
        return crawler.stats.get_stats()
    except RuntimeError:
        return {}


def end_group() -> None:
    """Kill this process and, if it leads a process group of its own, everything it started."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is either complete or not there at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _own_session() -> None:
    """Make this process the leader of a process group, and let it end when its parent ends.

    Browsers and git belong to the same group, so they can be killed together with this process.
    """
    with suppress(PermissionError):  # the parent has already made it the leader
        os.setsid()
    if sys.platform == "linux":
        import ctypes

        libc: Any = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def main(arguments: list[str] | None = None) -> None:
    """Run one crawl."""
    parser = argparse.ArgumentParser(prog="python -m moodswarm.crawl.child")
    parser.add_argument("spec", type=Path, help="a CrawlSpec as JSON")
    parser.add_argument("--events-fd", type=int, required=True, help="where events are written")
    options = parser.parse_args(arguments)
    _own_session()
    spec = CrawlSpec.model_validate_json(options.spec.read_bytes())
    Crawl(spec, options.events_fd).run()


if __name__ == "__main__":
    main()
