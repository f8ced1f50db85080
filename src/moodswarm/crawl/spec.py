"""The specification of a crawl: typed, checked, and handed to the child process as JSON."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from moodswarm.records.ledger import AskedRole

Platform = Literal["web", "medium", "substack", "github", "git"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Model):
    """Limits of a crawl, which hold however endless or hostile a site is."""

    pages_per_source: int = Field(default=5_000, ge=1)
    depth: int = Field(default=3, ge=0, description="links followed from the source")
    page_bytes: int = Field(default=8 * 1024 * 1024, ge=1_024, description="after decompression")
    page_seconds: float = Field(default=30.0, gt=0, description="from request to last byte")
    redirects: int = Field(default=5, ge=0)
    hours: float = Field(default=6.0, gt=0, description="for one run")
    memory_mib: int = Field(default=2_048, ge=256, description="of the crawler process itself")


class Manners(_Model):
    """How often servers are asked, and who they are told is asking."""

    contact: str = Field(default="", description="an address or page, shown in the user agent")
    requests_at_once_per_domain: int = Field(default=2, ge=1, le=16)
    delay_seconds: float = Field(default=0.5, ge=0, description="between requests to one domain")
    max_delay_seconds: float = Field(default=60.0, ge=0, description="AutoThrottle's upper limit")
    retries: int = Field(default=3, ge=0, description="of 429, 5xx, timeouts, lost connections")
    max_retry_after_seconds: float = Field(default=300.0, ge=0)


class Egress(_Model):
    """Addresses that may be reached besides public ones.

    Attributes:
        allow: `host:port` of servers that may be asked although they are not public, for a demo or
            a test.
        hosts: Names that are resolved here instead of by DNS, like curl's `--resolve`; their
            addresses must be public or allowed, like any other.
    """

    allow: tuple[str, ...] = ()
    hosts: dict[str, str] = Field(default_factory=dict)


class Browser(_Model):
    """Chromium, for pages that show nothing without JavaScript."""

    use: Literal["auto", "never"] = "auto"
    drivers: int = Field(default=2, ge=1, le=8, description="browsers at once")
    page_seconds: float = Field(default=45.0, gt=0, description="for all of one page")
    scrolls: int = Field(default=20, ge=0)


class Extraction(_Model):
    """Limits of one page in the pool of extraction processes."""

    processes: int | None = Field(default=None, ge=1, description="null: one per core")
    page_seconds: float = Field(default=20.0, gt=0)
    html_bytes: int = Field(default=3_000_000, ge=1_024, description="longer pages are refused")
    memory_mib: int = Field(default=1_024, ge=256, description="address space of one process")


#: Raise it when files are read differently: repositories at a known commit are then read again.
_READING = 2


class Repositories(_Model):
    """Limits and patterns that decide which parts of a repository are read."""

    seconds: float = Field(default=300.0, gt=0, description="for one repository")
    clone_mib: int = Field(default=512, ge=1)
    file_bytes: int = Field(default=512 * 1024, ge=1)
    files: int = Field(default=5_000, ge=1)
    ignore: tuple[str, ...] = (
        "node_modules/", "vendor/", "third_party/", "dist/", "build/", ".venv/", "__pycache__/",
        "*.min.js", "*.min.css", "*.map", "*.svg", "*.lock", "package-lock.json",
        ".ipynb_checkpoints/",
    )  # fmt: skip
    forks: bool = False
    archived: bool = False

    @property
    def revision(self) -> str:
        """A hash of the settings that decide which files are read.

        If it has changed, a known commit is read again.
        """
        decisive = self.model_dump_json(include={"file_bytes", "files", "ignore"})
        return hashlib.sha256(f"{_READING}{decisive}".encode()).hexdigest()[:16]


class Source(_Model):
    """One configured link of one author.

    Attributes:
        id: Stable over runs, from author and canonical link.
        platform: The spider, as `moodswarm.crawl.routing` chose it or the user named it.
        discover: Whether the link leads to more pages; if not, it is itself the only page.
        canonical_hosts: Hosts that a page's `rel=canonical` may name besides its own.
        author_hosts: Hosts of all links of the author, even of links that this run leaves out, so
            that a canonical address which is trusted in one run is trusted in every run.
    """

    id: str
    author_full_name: str
    link: str
    platform: Platform
    discover: bool
    canonical_hosts: tuple[str, ...] = ()
    author_hosts: tuple[str, ...] = ()


class CrawlSpec(_Model):
    """Everything that the child process needs to know.

    Attributes:
        links: Path of a JSON lines file of `KnownLink`, with the ledger's links of these sources.
        statistics: Path where the child writes Scrapy's statistics at its end, atomically.
        github_token_variable: Environment variable that holds a GitHub token; never the token.
    """

    sources: tuple[Source, ...]
    links: str
    statistics: str
    limits: Limits = Limits()
    manners: Manners = Manners()
    egress: Egress = Egress()
    browser: Browser = Browser()
    extraction: Extraction = Extraction()
    repositories: Repositories = Repositories()
    github_token_variable: str = "MOODSWARM_GITHUB_TOKEN"  # noqa: S105  # its name


class KnownLink(_Model):
    """A link that is known from an earlier visit.

    Attributes:
        ask: Whether it should be asked for now. A link that is done in this round should not; it is
            listed so that it is not asked for again when a listing names it once more.
        etag, last_modified: For a conditional request; None if the whole page is needed, for
            example because the extraction has changed since.
    """

    source_id: str
    url: str
    role: AskedRole
    depth: int
    ask: bool
    found_on: str | None = None
    etag: str | None = None
    last_modified: str | None = None
