"""Substack: the publication's archive, page by page, and posts as a browser shows them."""

from urllib.parse import urlsplit

from moodswarm.crawl.discovery import ARCHIVE_PATH, archive_address
from moodswarm.crawl.link import Link
from moodswarm.crawl.spec import Platform
from moodswarm.crawl.spiders.listings import ListingSpider


class SubstackSpider(ListingSpider):
    """Reads a publication; of paid posts only the beginning is shown, so they are left out."""

    name = "substack"
    platform: Platform = "substack"

    def address(self, link: Link) -> str:
        """Ask for the archive where a publication is asked for."""
        if link.role != "listing" or urlsplit(link.url).path == ARCHIVE_PATH:
            return link.url
        return archive_address(link.url)
