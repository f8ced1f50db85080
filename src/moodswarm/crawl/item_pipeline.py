"""The item pipeline for Scrapy: sends each item that a spider yields to the parent, in order."""

import asyncio
import logging
from typing import TYPE_CHECKING

from moodswarm.crawl.events import LinkFound, Visited
from moodswarm.crawl.spiders.source import SourceSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)


class EventPipeline:
    """Sends items to the parent process, or logs them if there is no parent (`scrapy crawl`)."""

    def __init__(self, crawler: "Crawler") -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: "Crawler") -> "EventPipeline":
        """Build the pipeline for a crawler."""
        return cls(crawler)

    async def process_item(self, item: LinkFound | Visited) -> LinkFound | Visited:
        """Pass an item on, and count it."""
        spider = self._crawler.spider
        assert isinstance(spider, SourceSpider)  # noqa: S101  # the only kind of spider here
        if isinstance(item, Visited):
            self._crawler.stats.inc_value(f"visited/{item.outcome}")
        pipe = spider.session.events
        if pipe is None:
            logger.info("%s", _summary(item))
            return item
        pipe.send(item)
        while pipe.crowded:
            await asyncio.sleep(0.05)
        return item


def _summary(item: LinkFound | Visited) -> str:
    if isinstance(item, LinkFound):
        return f"found {item.url}"
    size = f"{len(item.document['content']):,} characters" if item.document else None
    parts = [item.outcome, item.url, item.reason, item.detail, size]
    return " ".join(part for part in parts if part)
