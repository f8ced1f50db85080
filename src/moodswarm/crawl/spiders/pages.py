"""Reads pages: by extraction, in a browser if they need one, or from a feed if out of reach."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from scrapy import Request
from scrapy.http import Response

from moodswarm.crawl.discovery import Entry, entry_text
from moodswarm.crawl.frontier import link_hash
from moodswarm.crawl.link import Link
from moodswarm.crawl.spiders.source import Output, SourceSpider, validators
from moodswarm.extraction import EXTRACTION_VERSION, Article, Refused

# For these reasons a page is skipped: nothing went wrong, but it has no article by this author.
_NO_ARTICLE = frozenset(("not_html", "empty", "paid_preview", "not_an_article"))
# For these reasons a page cannot be read, but a feed may contain its text.
_OUT_OF_REACH = frozenset(
    (
        "robots", "http_401", "http_402", "http_403", "http_429", "http_451",
        "needs_browser", "paid_preview",
    )
)  # fmt: skip
_FEED_BYTES = 32 * 1024 * 1024


class FeedTexts:
    """Texts of feed entries, kept until their page is read; if too many, the oldest are dropped."""

    def __init__(self) -> None:
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._size = 0

    def keep(self, entry: Entry) -> None:
        """Keep an entry if it has a text."""
        if not entry.content:
            return
        self.take(entry.url)
        self._entries[link_hash(entry.url)] = entry
        self._size += len(entry.content)
        while self._size > _FEED_BYTES:
            _, dropped = self._entries.popitem(last=False)
            self._size -= len(dropped.content or "")

    def take(self, url: str) -> Entry | None:
        """Return the entry for a page, if there is one, and forget it."""
        entry = self._entries.pop(link_hash(url), None)
        self._size -= len(entry.content or "") if entry else 0
        return entry


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a text came from."""

    link: Link
    url: str
    conditional: dict[str, str | None]


class PageSpider(SourceSpider):
    """Reads pages as articles."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.feed_texts = FeedTexts()

    async def parse_page(self, response: Response, link: Link) -> Output:
        """Extract the article from a page."""
        content_type = response.headers.get("Content-Type")
        kind = content_type.decode("latin-1") if isinstance(content_type, bytes) else None
        result = await self.session.extract(response.body, response.url, kind)
        if isinstance(result, Article):
            self.feed_texts.take(link.url)
            origin = _Origin(link, response.url, validators(response))
            yield self._fetched(origin, result)
        elif result.reason == "needs_browser" and self._may_use_browser(response):
            yield self._in_browser(link)
        elif result.reason == "not_found":
            yield link.visited("gone", result.reason, result.detail)
        else:
            async for item in self._refused(link, result):
                yield item

    async def without_page(
        self, link: Link, reason: str, detail: str, outcome: Any = "failed"
    ) -> Output:
        """Use the text from the feed if the page itself is out of reach."""
        entry = self.feed_texts.take(link.url) if link.role == "page" else None
        if entry is None or reason not in _OUT_OF_REACH:
            yield link.visited(outcome, reason, detail)
            return
        article = await self._of_feed(entry)
        if article is None:
            yield link.visited(outcome, reason, detail)
        else:
            yield self._fetched(_Origin(link, entry.url, {}), article)

    def _may_use_browser(self, response: Response) -> bool:
        return self.spec.browser.use == "auto" and "browser" not in response.flags

    def _in_browser(self, link: Link) -> Request:
        from moodswarm.crawl.browser.requests import BrowserRequest

        return BrowserRequest(
            link.url,
            callback=self.answered,
            errback=self.unanswered,
            cb_kwargs={"link": link.unconditional()},
            dont_filter=True,
        )

    def _refused(self, link: Link, refused: Refused) -> Output:
        outcome = "skipped" if refused.reason in _NO_ARTICLE else "failed"
        return self.without_page(link, refused.reason, refused.detail, outcome)

    async def _of_feed(self, entry: Entry) -> Article | None:
        try:
            content = await self.session.read(entry_text, entry)
        except (ValueError, TimeoutError, MemoryError) as error:
            self.logger.warning("%s: the text in the feed cannot be used: %s", entry.url, error)
            return None
        if not content:
            return None
        return Article(
            title=entry.title,
            author=None,
            published_at=entry.published_at,
            language=None,
            canonical=None,
            content=content,
            platform=self.platform,
        )

    def _fetched(self, origin: _Origin, article: Article) -> Any:
        link = origin.link
        visit = link.visited("fetched", revision=EXTRACTION_VERSION, **origin.conditional)
        platform = article.platform if self.platform == "web" else self.platform
        document = {
            "kind": "article",
            "platform": platform,
            "link": self.source_hosts.document_link(link.source, origin.url, article.canonical),
            "author_full_name": link.source.author_full_name,
            "title": article.title,
            "language": article.language,
            "published_at": article.published_at,
            "content": article.content,
            "spider": self.name,
            "etag": visit.etag,
            "fetched_at": visit.visited_at,
        }
        return visit.model_copy(update={"document": document})
