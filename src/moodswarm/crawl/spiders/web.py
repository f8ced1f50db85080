"""Any other site: by a feed, a sitemap or its front page, or as a single page."""

from collections import Counter
from urllib.parse import urljoin

from scrapy.http import Response

from moodswarm.crawl.discovery import Listing, archive_address, medium_feed
from moodswarm.crawl.events import Visited
from moodswarm.crawl.link import Link
from moodswarm.crawl.middlewares.robots import RobotsMiddleware
from moodswarm.crawl.source_hosts import is_root
from moodswarm.crawl.spec import Platform
from moodswarm.crawl.spiders.listings import ListingSpider
from moodswarm.crawl.spiders.source import Output
from moodswarm.extraction import discover_links


class WebSpider(ListingSpider):
    """Finds an author's pages from any address of a site.

    From a root page it follows the feeds that the page names, and the site's sitemaps. If there are
    none, it follows links, a few levels deep. If a site turns out to be a Substack or Medium
    publication under its own domain, it is followed as on that platform.
    """

    name = "web"
    platform: Platform = "web"

    async def parse_page(self, response: Response, link: Link) -> Output:
        """Read a page; if the site has no listing of its pages, follow the page's links too."""
        left_out: Counter[str] = Counter()
        if self._is_searched(link):
            found = await self.session.read(discover_links, response.body, response.url)
            children = map(link.child, found.links)
            async for item in self.follow(children, left_out):
                yield item
        async for item in super().parse_page(response, link):
            if left_out and isinstance(item, Visited):
                # Without validators, the next round reads the page in full. By then the limits may
                # have room for the links that were left out now.
                nothing = {"etag": None, "last_modified": None}
                yield item.model_copy(update={"skipped": dict(left_out), **nothing})
            else:
                yield item

    async def parse_root(self, response: Response, link: Link, root: Listing) -> Output:
        """Find the way from a site's front page to its pages."""
        if not link.configured:
            async for item in self.not_a_listing(response, link):
                yield item
            return
        left_out: Counter[str] = Counter()
        if root.platform == "substack":  # Substack's archive is complete
            listings = [archive_address(response.url)]
        else:
            feeds = [medium_feed(response.url)] if root.platform == "medium" else root.listings
            named = await self._named_sitemaps(response.url)
            listings = [*feeds, *named]
            if not named:
                guess = link.child(urljoin(response.url, "/sitemap.xml"), "listing")
                async for item in self.probe_sitemap(guess):
                    yield item
        async for item in self.follow([link.child(url, "listing") for url in listings], left_out):
            yield item
        if self._is_searched(link):
            children = [link.child(entry.url) for entry in root.entries]
            async for item in self.follow(children, left_out):
                yield item
        yield self.listed(response, link, left_out)

    async def follow_listing(self, response: Response, link: Link, listing: Listing) -> Output:
        """Follow a listing, and remember that the site has one."""
        self.session.frontier.listed_sources.add(link.source.id)
        async for item in super().follow_listing(response, link, listing):
            yield item

    async def _named_sitemaps(self, url: str) -> list[str]:
        robots = self.crawler.get_downloader_middleware(RobotsMiddleware)
        return await robots.sitemaps(url) if robots is not None else []

    def _is_searched(self, link: Link) -> bool:
        """Return whether a page's links are followed, because no listing names the site's pages."""
        return (
            link.source.discover
            and is_root(link.source.link)
            and link.depth < self.spec.limits.depth
            and link.source.id not in self.session.frontier.listed_sources
        )
