"""Listings: turns feeds, sitemaps and archives into links to request."""

from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK

from moodswarm.crawl.discovery import (
    ARCHIVE_PATH,
    BadListing,
    Entry,
    Listing,
    is_listing,
    read_archive,
    read_listing,
)
from moodswarm.crawl.link import Link
from moodswarm.crawl.middlewares.failures import failure_of
from moodswarm.crawl.spiders.pages import PageSpider
from moodswarm.crawl.spiders.source import Output, validators


class ListingSpider(PageSpider):
    """Reads pages, and the listings that name them."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._paged: set[int] = set()  # hashes of the links in listings that have several pages

    async def parse_page(self, response: Response, link: Link) -> Output:
        """Read a page, or a feed at an address that does not look like one."""
        if not is_listing(response.body):
            read = super().parse_page(response, link)
        elif link.configured:
            read = self.parse_listing(response, replace(link, role="listing"))
        else:
            read = self.without_page(link, "not_html", "a feed or a sitemap", "skipped")
        async for item in read:
            yield item

    async def parse_listing(self, response: Response, link: Link) -> Output:
        """Read a listing of any kind."""
        try:
            listing = await self._listing(response)
        except BadListing as error:
            yield link.visited("failed", "bad_listing", str(error))
            return
        except TimeoutError:
            yield link.visited("failed", "too_slow", f"{response.url} took too long to read")
            return
        except MemoryError:
            yield link.visited("failed", "out_of_memory", f"{response.url} needed too much memory")
            return
        if listing.kind == "page":
            read = self.parse_root(response, link, listing)
        elif listing.kind == "unknown":
            read = self.not_a_listing(response, link)
        else:
            read = self.follow_listing(response, link, listing)
        async for item in read:
            yield item

    def parse_root(self, response: Response, link: Link, root: Listing) -> Output:  # noqa: ARG002
        """Read an HTML page where a listing was expected."""
        return self.not_a_listing(response, link)

    async def not_a_listing(self, response: Response, link: Link) -> Output:
        """End the visit of a listing that turns out to be something else."""
        yield link.visited(
            "failed", "bad_listing", f"{response.url} is neither a feed nor a sitemap"
        )

    async def follow_listing(self, response: Response, link: Link, listing: Listing) -> Output:
        """Record and request everything that a listing names, then end the visit of the listing."""
        left_out: Counter[str] = Counter()
        new = self._name(listing)
        for entry in listing.entries:
            self._keep(entry)
        children = [link.child(entry.url) for entry in listing.entries]
        children += [link.child(url, "listing") for url in listing.listings]
        async for item in self.follow(children, left_out):
            yield item
        # If a server returned the same content for every page number, the listing would never end.
        # The next page is therefore requested only if this one names links that no earlier page
        # named. Links that the crawl has met elsewhere also count as new, because meeting them
        # elsewhere says nothing about the pages that follow.
        if listing.more and new:
            async for item in self.follow([link.next_page(listing.more)], left_out):
                yield item
        yield self.listed(response, link, left_out)

    def listed(self, response: Response, link: Link, left_out: Counter[str]) -> Any:
        """Return the event that ends the visit of a listing."""
        return link.visited("listed", skipped=dict(left_out), **validators(response))

    async def probe_sitemap(self, link: Link) -> Output:
        """Follow the sitemap at a guessed address, if there is one."""
        frontier = self.session.frontier
        if frontier.met(link.url):
            return
        request = Request(link.url, callback=NO_CALLBACK)
        try:
            response = await self.crawler.engine.download_async(request)
            found = response.status == 200 and (await self._listing(response)).kind == "sitemap"  # noqa: PLR2004
        except Exception as error:  # noqa: BLE001  # the address was only a guess
            self.logger.info("no sitemap at %s: %s", link.url, failure_of(error).detail)
            return
        if found:
            frontier.add(link.source.id, link.url, listing=True)
            yield link.found()
            async for item in self.parse_listing(response, link):
                yield item

    async def _listing(self, response: Response) -> Listing:
        if urlsplit(response.url).path == ARCHIVE_PATH:
            return read_archive(response.body, response.url)
        limit = self.spec.limits.page_bytes
        return await self.session.read(read_listing, response.body, response.url, limit)

    def _name(self, listing: Listing) -> bool:
        """Remember the links of a listing with more pages; return whether any of them is new."""
        if not listing.more:
            return False
        links = {hash(entry.url) for entry in listing.entries}
        new = not links <= self._paged
        self._paged |= links
        return new

    def _keep(self, entry: Entry) -> None:
        try:
            self.feed_texts.keep(entry)
        except ValueError:
            return  # This link cannot be requested; `follow` counts it as left out.
