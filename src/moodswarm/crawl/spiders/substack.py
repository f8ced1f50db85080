"""Substack: the publication's archive, page by page, and its posts."""

from urllib.parse import urlsplit

from moodswarm.crawl.discovery import ARCHIVE_PATH, archive_address
from moodswarm.crawl.link import Link
from moodswarm.crawl.spec import Platform
from moodswarm.crawl.spiders.listings import ListingSpider


class SubstackSpider(ListingSpider):
    """Reads a publication; paid posts are left out, because only their beginning is public."""

    name = "substack"
    platform: Platform = "substack"

    def address(self, link: Link) -> str:
        """Return the address of the archive if the link is that of a publication."""
        if link.role != "listing" or urlsplit(link.url).path == ARCHIVE_PATH:
            return link.url
        return archive_address(link.url)
