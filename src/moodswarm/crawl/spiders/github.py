"""GitHub: a user's or organisation's repositories through the API, or one repository."""

from collections import Counter
from urllib.parse import quote, urljoin, urlsplit

from scrapy import Request
from scrapy.http import Response

from moodswarm.crawl.discovery import BadListing, Hosted, next_link, read_repositories
from moodswarm.crawl.link import Link
from moodswarm.crawl.spec import Platform
from moodswarm.crawl.spiders.repositories import RepositorySpider
from moodswarm.crawl.spiders.source import Output, validators

_HOSTS = ("github.com", "www.github.com")
_API = "https://api.github.com/"
_USER_PREFIXES = ("orgs", "users")


class GithubSpider(RepositorySpider):
    """Reads an author's repositories; forks and archived ones only if the user asks for them."""

    name = "github"
    platform: Platform = "github"

    def address(self, link: Link) -> str:
        """Return the API's address if the link is the configured link of a user."""
        return repositories_address(link.url) if link.configured else link.url

    def request(self, link: Link) -> Request:
        """Return the request; only requests to GitHub's own API carry the token."""
        request = super().request(link)
        if request.url.startswith(_API):
            request.headers["Accept"] = "application/vnd.github+json"
            token = self.session.github_token
            if token:
                request.headers["Authorization"] = f"Bearer {token}"
        return request

    def repository_address(self, link: Link) -> str:
        """Return the address of the repository that the link points into."""
        parts = urlsplit(link.url)
        owner_and_name = "/".join(parts.path.strip("/").split("/")[:2])
        return urljoin(link.url, f"/{owner_and_name}")

    async def parse_listing(self, response: Response, link: Link) -> Output:
        """Follow the repositories on one page of the API's list."""
        try:
            repositories = read_repositories(response.body)
        except BadListing as error:
            yield link.visited("failed", "bad_listing", str(error))
            return
        left_out: Counter[str] = Counter()
        wanted = []
        for repository in repositories:
            reason = self._unwanted(repository)
            if reason:
                left_out[reason] += 1
            else:
                wanted.append(link.child(repository.url, "repository"))
        async for item in self.follow(wanted, left_out):
            yield item
        header = response.headers.get("Link")
        more = next_link(header.decode("latin-1") if isinstance(header, bytes) else None)
        if more:
            async for item in self.follow([link.next_page(urljoin(response.url, more))], left_out):
                yield item
        yield link.visited("listed", skipped=dict(left_out), **validators(response))

    def _unwanted(self, repository: Hosted) -> str | None:
        limits = self.spec.repositories
        if repository.fork and not limits.forks:
            return "fork"
        return "archived" if repository.archived and not limits.archived else None


def repositories_address(link: str) -> str:
    """Return the API's address for the list of repositories of the user that a link names.

    On GitHub Enterprise Server, the API has the same host as the link.
    """
    parts = urlsplit(link)
    segments = [part for part in parts.path.split("/") if part]
    if segments[0] in _USER_PREFIXES:
        segments = segments[1:]
    api = _API if parts.hostname in _HOSTS else urljoin(link, "/api/v3/")
    return f"{api}users/{quote(segments[0])}/repos?per_page=100&type=owner"
