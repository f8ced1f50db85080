"""Any git repository by its address."""

from moodswarm.crawl.spec import Platform
from moodswarm.crawl.spiders.repositories import RepositorySpider


class GitSpider(RepositorySpider):
    """Reads one repository."""

    name = "git"
    platform: Platform = "git"
