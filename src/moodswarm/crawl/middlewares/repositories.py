"""Requests for what Scrapy does not download itself."""

from scrapy import Request
from scrapy.http import Response


class RepositoryRequest(Request):
    """A repository, which its callback reads with git.

    It is a request so that the queue, its limits and the end of a crawl count it like all else.
    """


class RepositoryMiddleware:
    """Answers requests for repositories at once, before anything is asked of a server."""

    async def process_request(self, request: Request) -> Response | None:
        """Let anything else pass."""
        if isinstance(request, RepositoryRequest):
            return Response(request.url, request=request)
        return None
