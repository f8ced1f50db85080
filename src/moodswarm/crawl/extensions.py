"""An extension for Scrapy that ends a crawl when its process uses too much memory."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.defer import deferred_from_coro

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

_STATM = Path("/proc/self/statm")
_MIB = 1024 * 1024


class MemoryLimit:
    """Ends the crawl when this process holds more than `MEMORY_LIMIT_MIB`.

    Scrapy's own limit checks the peak of memory use, which a child process inherits from its
    parent. A crawl with a big parent process would therefore stop before the first page. This limit
    checks how much the process holds now.
    """

    def __init__(self, crawler: "Crawler") -> None:
        self._limit = crawler.settings.getint("MEMORY_LIMIT_MIB") * _MIB
        if not self._limit or not _STATM.exists():
            raise NotConfigured("no limit, or a system without /proc")
        self._crawler = crawler
        self._check = create_looping_call(self._look)
        crawler.signals.connect(self._opened, signals.spider_opened)
        crawler.signals.connect(self._closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "MemoryLimit":
        """Build the extension for a crawler."""
        return cls(crawler)

    def _opened(self) -> None:
        self._check.start(self._crawler.settings.getfloat("MEMORY_CHECK_SECONDS"), now=False)

    def _closed(self) -> None:
        if self._check.running:
            self._check.stop()

    def _look(self) -> None:
        resident = int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        self._crawler.stats.max_value("memory/resident_max", resident)
        if resident > self._limit:
            logger.warning(
                "the crawler stops, because it holds %d MiB, over limits.memory_mib (%d)",
                resident // _MIB,
                self._limit // _MIB,
            )
            self._check.stop()
            stop = self._crawler.engine.close_spider_async(reason="memory_limit")
            deferred_from_coro(stop)
