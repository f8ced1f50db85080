"""The specification of a crawl: typed, checked, and handed to the child process as JSON."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from moodswarm.records.ledger import AskedRole

Platform = Literal["web", "medium", "substack", "github", "git"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Model):
    """Limits for a crawl, which hold even if a site is endless or hostile."""

    pages_per_source: int = Field(default=5_000, ge=1)
    depth: int = Field(default=3, ge=0, description="links followed from the source")
    page_bytes: int = Field(default=8 * 1024 * 1024, ge=1_024, description="after decompression")
    page_seconds: float = Field(default=30.0, gt=0, description="from request to last byte")
    redirects: int = Field(default=5, ge=0)
    hours: float = Field(default=6.0, gt=0, description="for one run")
    memory_mib: int = Field(default=2_048, ge=256, description="of the crawler process itself")


class Manners(_Model):
    """How often servers get requests, and how the crawler introduces itself to them."""

    contact: str = Field(default="", description="an address or page, shown in the user agent")
    requests_at_once_per_domain: int = Field(default=2, ge=1, le=16)
    delay_seconds: float = Field(default=0.5, ge=0, description="between requests to one domain")
    max_delay_seconds: float = Field(default=60.0, ge=0, description="AutoThrottle's upper limit")
    retries: int = Field(default=3, ge=0, description="of 429, 5xx, timeouts, lost connections")
    max_retry_after_seconds: float = Field(default=300.0, ge=0)


class Egress(_Model):
    """Addresses that may be reached besides public ones.

    Attributes:
        allow: `host:port` of servers that may be reached although they are not public, for a demo
            or a test.
        hosts: Addresses for host names that are not looked up in DNS, like curl's `--resolve`. Like
            all other addresses, these must be public or allowed.
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
    """The number of extraction processes, and the limits for one page in them."""

    processes: int | None = Field(default=None, ge=1, description="null: one per core")
    page_seconds: float = Field(default=20.0, gt=0)
    html_bytes: int = Field(default=3_000_000, ge=1_024, description="longer pages are refused")
    memory_mib: int = Field(default=1_024, ge=256, description="address space of one process")


#: Increase this number when files are to be read in a different way. Repositories are then read
#: again, even if they are still at a known commit.
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

        If the hash has changed, a repository is read again, even if it is still at a known commit.
        """
        decisive = self.model_dump_json(include={"file_bytes", "files", "ignore"})
        return hashlib.sha256(f"{_READING}{decisive}".encode()).hexdigest()[:16]


class Source(_Model):
    """One configured link of one author.

    Attributes:
        id: Derived from the author and the canonical link, so it is the same in every run.
        platform: The spider that `moodswarm.crawl.routing` chose or the user named.
        discover: Whether the link leads to more pages; if not, the link itself is the only page.
        canonical_hosts: Hosts that a page's `rel=canonical` may name besides the page's own host.
        author_hosts: The hosts of all the author's links, including links that this run leaves out,
            so that a canonical address that is trusted in one run is trusted in every run.
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
        links: Path of a file with the links that the ledger holds for these sources, one
            `KnownLink` as JSON in each line.
        statistics: Path to which the child process writes Scrapy's statistics at its end,
            atomically.
        github_token_variable: Name of the environment variable that holds a GitHub token; the token
            itself is never part of the specification.
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
    github_token_variable: str = "MOODSWARM_GITHUB_TOKEN"  # noqa: S105  # only a name


class KnownLink(_Model):
    """A link that is known when the crawl begins.

    Attributes:
        ask: Whether the link should be requested now. It is False for a link that is already done
            in this round, so that the link is not requested again when a listing names it.
        etag, last_modified: Values for a conditional request; None if the whole page is needed, for
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
