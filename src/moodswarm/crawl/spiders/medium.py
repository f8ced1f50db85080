"""Medium: the feed, which holds the last ten stories, and the sitemap if there is one."""

from urllib.parse import urljoin, urlsplit

from scrapy.http import Response

from moodswarm.crawl.discovery import Listing, medium_feed
from moodswarm.crawl.link import Link
from moodswarm.crawl.spec import Platform
from moodswarm.crawl.spiders.listings import ListingSpider
from moodswarm.crawl.spiders.source import Output

# The sitemap on these hosts is not used, because it names the stories of all authors.
_SHARED_HOSTS = ("medium.com", "www.medium.com")


class MediumSpider(ListingSpider):
    """Reads the stories of an author or a publication."""

    name = "medium"
    platform: Platform = "medium"

    def address(self, link: Link) -> str:
        """Return the feed's address if the link is the configured link of an author."""
        return medium_feed(link.url) if link.configured and link.role == "listing" else link.url

    async def follow_listing(self, response: Response, link: Link, listing: Listing) -> Output:
        """Follow the feed and, on an author's own host, the sitemap, which names older stories."""
        if link.configured and urlsplit(response.url).hostname not in _SHARED_HOSTS:
            guess = link.child(urljoin(response.url, "/sitemap/sitemap.xml"), "listing")
            async for item in self.probe_sitemap(guess):
                yield item
        async for item in super().follow_listing(response, link, listing):
            yield item
