"""Repositories: each is read with git in a thread, and every file becomes a document."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import Any
from urllib.parse import quote

from scrapy import Request
from scrapy.http import Response

from moodswarm.crawl.events import Visited
from moodswarm.crawl.link import Link
from moodswarm.crawl.repositories import (
    NotModified,
    Repository,
    RepositoryError,
    RepositoryFile,
    open_repository,
)
from moodswarm.crawl.spiders.source import Output, SourceSpider
from moodswarm.records.ids import document_id
from moodswarm.records.links import canonical_link

_AT_ONCE = 2  # clones at the same time; they share one disk and usually one host
_BATCH = 16  # files that one call in the thread reads
_OUTCOMES = {"not_found": "gone", "empty": "skipped"}


class RepositoryRequest(Request):
    """A request for a repository, which the callback reads with git.

    It is a Scrapy request so that the queue, its limits and the end of a crawl treat it like any
    other request.
    """


class RepositoryMiddleware:
    """Answers requests for repositories itself, so that Scrapy does not send them to a server."""

    async def process_request(self, request: Request) -> Response | None:
        """Return an empty response for a repository; let any other request pass."""
        if isinstance(request, RepositoryRequest):
            return Response(request.url, request=request)
        return None


class RepositorySpider(SourceSpider):
    """Reads repositories as documents, one per file."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._threads = ThreadPoolExecutor(_AT_ONCE, "repository")
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def repository_address(self, link: Link) -> str:
        """Return the address from which the repository is cloned."""
        return link.url

    def request(self, link: Link) -> Request:
        """Return the request for a link; if the link is a repository, it is left to git."""
        if link.role != "repository":
            return super().request(link)
        return RepositoryRequest(
            self.repository_address(link),
            callback=self.answered,
            errback=self.unanswered,
            cb_kwargs={"link": link},
            dont_filter=True,
        )

    async def parse_repository(self, response: Response, link: Link) -> Output:
        """Yield the visits of a repository's files, then the visit of the repository itself."""
        async with self._turns:
            try:
                async for event in self._files(response.url, link):
                    yield event
            except NotModified as same:
                yield link.visited("not_modified", etag=same.commit)
            except RepositoryError as error:
                # If the crawl ends early, the repository is left to the next crawl.
                if error.reason != "cancelled":
                    outcome: Any = _OUTCOMES.get(error.reason, "failed")
                    yield link.visited(outcome, error.reason, error.detail)

    async def _files(self, url: str, link: Link) -> Output:
        loop = asyncio.get_running_loop()
        proxy = self.session.proxy()
        with ExitStack() as stack:
            repository = await loop.run_in_executor(
                self._threads,
                stack.enter_context,
                open_repository(
                    url,
                    limits=self.spec.repositories,
                    proxy=proxy,
                    known_commit=link.etag,
                    cancelled=self.session.stopping,
                ),
            )
            files = repository.files()
            while batch := await loop.run_in_executor(self._threads, _some, files):
                for file in batch:
                    yield self._fetched(file, repository, link)
            skipped = dict(repository.skipped)
            if repository.redacted_secrets:
                skipped["redacted_secrets"] = repository.redacted_secrets
            revision = self.spec.repositories.revision
            yield link.visited(
                "listed",
                etag=repository.commit,
                revision=revision,
                skipped=skipped,
                left_out=repository.skipped.paths,
            )

    def _fetched(self, file: RepositoryFile, repository: Repository, link: Link) -> Visited:
        base = repository.url.rstrip("/").removesuffix(".git")
        address = f"{base}/blob/HEAD/{quote(file.path)}"
        visit = link.visited(
            "fetched", url=address, role="file", depth=link.depth + 1, found_on=link.url
        )
        document = {
            "kind": "repository",
            "platform": self.platform,
            "link": address,
            "author_full_name": link.source.author_full_name,
            "title": file.path,
            "language": file.language,
            "content": file.text,
            "path": file.path,
            "repository_id": document_id(canonical_link(base)),
            "commit": repository.commit,
            "licence": repository.licence,
            "spider": self.name,
            "fetched_at": visit.visited_at,
        }
        return visit.model_copy(update={"document": document})


def _some(files: Iterator[RepositoryFile]) -> list[RepositoryFile]:
    return list(islice(files, _BATCH))
