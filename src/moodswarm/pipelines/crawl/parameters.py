"""Typed parameters of the crawl pipeline; invalid values fail before any page is requested."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from moodswarm.crawl.routing import ExportOnly, route, source_id
from moodswarm.crawl.spec import (
    Browser,
    Egress,
    Extraction,
    Limits,
    Manners,
    Platform,
    Repositories,
    Source,
)
from moodswarm.records.author import author_name
from moodswarm.records.links import canonical_link

# A link with a user name is refused later. Its password is removed here, so that it appears in no
# log, report or error.
_USER = re.compile(r"^(\s*[^/?#]*//)[^/?#]*@")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AuthorLink(_Model):
    """A link, with settings that cannot be told from its host alone.

    Attributes:
        platform: The spider to use for a Medium or Substack site under its own domain.
        discover: Whether to follow the link to more pages; null decides by the link's address.
    """

    link: str
    platform: Platform | None = None
    discover: bool | None = None

    @field_validator("link")
    @classmethod
    def _without_password(cls, value: str) -> str:
        return _USER.sub(r"\1***@", value)


class CrawlAuthor(_Model):
    """One person, and where they publish.

    Attributes:
        content_is_mine: An explicit statement; nothing is fetched without it.
        github, medium, substack: The author's user names on these sites, as short forms of links.
        canonical_hosts: Further hosts of the author that a page may name as its canonical home.
    """

    full_name: str
    content_is_mine: bool = False
    links: tuple[AuthorLink, ...] = ()
    github: str | None = None
    medium: str | None = None
    substack: str | None = None
    canonical_hosts: tuple[str, ...] = ()

    @field_validator("full_name")
    @classmethod
    def _has_a_name(cls, value: str) -> str:
        return author_name(value)

    @field_validator("links", mode="before")
    @classmethod
    def _spelled_out(cls, value: object) -> object:
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [{"link": item} if isinstance(item, str) else item for item in value]
        return value

    def all_links(self) -> Iterator[AuthorLink]:
        """Yield the links, including those of named accounts."""
        yield from self.links
        if self.github:
            yield AuthorLink(link=f"https://github.com/{self.github.lstrip('@')}")
        if self.medium:
            yield AuthorLink(link=f"https://medium.com/@{self.medium.lstrip('@')}")
        if self.substack:
            yield AuthorLink(link=f"https://{self.substack.lstrip('@')}.substack.com")

    def hosts(self) -> Iterator[str]:
        """Yield the hosts of all valid links, with their ports."""
        for link in self.all_links():
            with suppress(ValueError):
                yield urlsplit(canonical_link(link.link)).netloc


class Only(_Model):
    """Limits a run to one author or one link; null sets no limit."""

    author: str | None = None
    link: str | None = None

    @field_validator("link")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        return value and _USER.sub(r"\1***@", value)


class CrawlParams(_Model):
    """All parameters under `params:crawl`."""

    authors: tuple[CrawlAuthor, ...] = ()
    only: Only = Only()
    round_hours: float = Field(default=24.0, gt=0)
    max_attempts: int = Field(default=3, ge=1)
    limits: Limits = Limits()
    manners: Manners = Manners()
    egress: Egress = Egress()
    browser: Browser = Browser()
    extraction: Extraction = Extraction()
    repositories: Repositories = Repositories()


@dataclass(frozen=True, slots=True)
class Refused:
    """A configured link that is not crawled, and why."""

    author_full_name: str
    link: str
    reason: str
    detail: str


def select_sources(params: CrawlParams) -> tuple[list[Source], list[Refused]]:
    """Return the sources to crawl, and the links that are refused.

    A link that two authors name belongs to the first of them, whatever the run is limited to.

    Raises:
        ValueError: `only` names an author or a link that is not configured.
    """
    sources: dict[str, Source] = {}
    refused: list[Refused] = []
    first = _first_authors(params)
    for author in _wanted(params):
        for link in author.all_links():
            if params.only.link and not _same(link.link, params.only.link):
                continue
            found = _source(author, link)
            if isinstance(found, Refused):
                refused.append(found)
            elif (owner := first[canonical_link(found.link)]) != author.full_name:
                detail = f"it is crawled as a link of {owner}, who is named first"
                refused.append(Refused(author.full_name, link.link, "other_author", detail))
            else:
                sources.setdefault(canonical_link(found.link), found)
    if params.only.link and not sources and not refused:
        known = sorted(link.link for author in params.authors for link in author.all_links())
        raise ValueError(
            f"crawl.only.link is {params.only.link!r}, which no author has. Known links: {known}"
            f"{_cut(params.only.link, known)}"
        )
    return list(sources.values()), refused


def _first_authors(params: CrawlParams) -> dict[str, str]:
    first: dict[str, str] = {}
    for author in params.authors:
        for link in author.all_links():
            if isinstance(found := _source(author, link), Source):
                first.setdefault(canonical_link(found.link), author.full_name)
    return first


def _wanted(params: CrawlParams) -> list[CrawlAuthor]:
    only = params.only.author
    if only is None:
        return list(params.authors)
    name = author_name(only).casefold()
    found = [author for author in params.authors if author.full_name.casefold() == name]
    if not found:
        known = sorted(author.full_name for author in params.authors)
        raise ValueError(
            f"crawl.only.author is {only!r}. Known authors: {known}{_cut(only, known)}"
        )
    return found


def _cut(given: str, known: list[str]) -> str:
    """Return a remark if the given value is a known one that was cut off at a comma."""
    if not any(each.startswith(f"{given},") for each in known):
        return ""
    return ". --params cut the value at its comma; docs/crawl.md shows how to pass it in a file"


def _source(author: CrawlAuthor, link: AuthorLink) -> Source | Refused:
    def refuse(reason: str, detail: str) -> Refused:
        return Refused(author.full_name, link.link, reason, detail)

    if not author.content_is_mine:
        return refuse(
            "no_consent",
            f"set `content_is_mine: true` for {author.full_name} in parameters_crawl.yml, "
            "if it is theirs and you may use it",
        )
    try:
        routed = route(link.link)
    except ExportOnly as error:
        return refuse("export_only", str(error))
    except ValueError as error:
        return refuse("bad_link", str(error))
    return Source(
        id=source_id(author.full_name, link.link),
        author_full_name=author.full_name,
        link=link.link,
        platform=link.platform or routed.platform,
        discover=routed.discover if link.discover is None else link.discover,
        canonical_hosts=author.canonical_hosts,
        author_hosts=tuple(author.hosts()),
    )


def _same(link: str, other: str) -> bool:
    try:
        return canonical_link(link) == canonical_link(other)
    except ValueError:
        return link == other
