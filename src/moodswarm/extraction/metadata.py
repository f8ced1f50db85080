"""Title, author, date, language and canonical address, as a page states them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from moodswarm.extraction.head import linked_data, meta
from moodswarm.extraction.titles import find_title
from moodswarm.extraction.tree import elements, names, text_of

_LANGUAGE = re.compile(r"([a-zA-Z]{2})(?:[-_].*)?")
_LONG_NAME = 100
_LATEST = "2100-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The facts that a page states about its article."""

    title: str | None
    author: str | None
    published_at: datetime | None
    language: str | None
    canonical: str | None


def read_metadata(root: HtmlElement, url: str) -> Metadata:
    """Read the facts that a page states about its article; the tree is not changed."""
    linked = list(linked_data(root))
    return Metadata(
        title=find_title(root, linked),
        author=_author(root, linked),
        published_at=_published_at(root, linked, url),
        language=read_language(root),
        canonical=find_canonical(root, url),
    )


def _author(root: HtmlElement, linked: list[dict[str, Any]]) -> str | None:
    for item in linked:
        if name := _person(item.get("author")):
            return name
    for key in ("author", "article:author", "citation_author", "dc.creator", "twitter:data1"):
        value = meta(root, key)
        told = key != "twitter:data1" or meta(root, "twitter:label1") == "Written by"
        if value and told and (name := _name(value)):
            return name
    for element in elements(root, "a", "span", "address", "p", "div", "strong"):
        told = "author" in (element.get("rel"), element.get("itemprop"))
        if (told or "p-author" in names(element)) and (name := _name(text_of(element))):
            return name
    return None


def _person(value: Any) -> str | None:
    if isinstance(value, list):
        found = [name for v in value if (name := _person(v))]
        return ", ".join(dict.fromkeys(found)) or None
    if isinstance(value, dict):
        value = value.get("name")
    return _name(value) if isinstance(value, str) else None


def _name(text: str) -> str | None:
    text = re.sub(r"^\s*(?:(?:written|posted)\s+)?by[:\s]+", "", " ".join(text.split()), flags=re.I)
    wrong = (
        not text or len(text) > _LONG_NAME or "://" in text or text.startswith("@") or "{" in text
    )
    return None if wrong else text


def parse_time(text: Any) -> datetime | None:
    """Read an ISO 8601 time or day as UTC; a time without a zone is taken as UTC."""
    if not isinstance(text, str) or not (text := text.strip()):
        return None
    text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text.replace(" UTC", "Z"))
    try:
        time = datetime.fromisoformat(text)
        aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if 1990 <= aware.year < 2100 else None  # noqa: PLR2004  # from the first web page on


def _published_at(root: HtmlElement, linked: list[dict[str, Any]], url: str) -> datetime | None:
    stated = [item.get("datePublished") for item in linked]
    stated += [
        meta(root, key)
        for key in ("article:published_time", "og:article:published_time", "datepublished",
                    "date", "dc.date", "dc.date.issued", "citation_publication_date", "pubdate")
    ]  # fmt: skip
    for value in stated:
        if time := parse_time(value):
            return time
    times = list(elements(root, "time"))
    marked = [t for t in times if _is_publication(t)]
    # On a page with many times, the others belong to listed pages or to comments.
    for element in marked or times[:1]:
        if time := parse_time(element.get("datetime")):
            return time
    return _searched_date(root, url)


def _is_publication(time: HtmlElement) -> bool:
    return (
        time.get("pubdate") is not None
        or "datePublished" in (time.get("itemprop") or "")
        or any(n in ("dt-published", "published", "entry-date", "post-date") for n in names(time))
    )


def _searched_date(root: HtmlElement, url: str) -> datetime | None:
    from copy import deepcopy

    from htmldate import find_date

    # The limit is fixed, so that a page yields the same result on any day.
    found = find_date(
        deepcopy(root), extensive_search=False, original_date=True, url=url, max_date=_LATEST
    )
    return parse_time(found)


def read_language(root: HtmlElement) -> str | None:
    """Return the language that a page states, as an ISO 639-1 code."""
    html = next((e for e in root.iter("html")), root)
    stated = (
        html.get("lang"),
        html.get("{http://www.w3.org/XML/1998/namespace}lang"),
        html.get("xml:lang"),
        meta(root, "og:locale"),
        meta(root, "content-language"),
    )
    for value in stated:
        match = _LANGUAGE.fullmatch((value or "").strip())
        if match:
            return match[1].lower()
    return None


def find_canonical(root: HtmlElement, url: str) -> str | None:
    """Return the absolute address that a page calls its own."""
    for link in elements(root, "link"):
        if "canonical" in (link.get("rel") or "").lower().split() and link.get("href"):
            return _web_address(url, link.get("href") or "")
    shared = meta(root, "og:url")
    return _web_address(url, shared) if shared else None


def _web_address(url: str, address: str) -> str | None:
    try:
        joined = urljoin(url, address.strip())
        parts = urlsplit(joined)
    except ValueError:
        return None
    return joined if parts.scheme in ("http", "https") and parts.hostname else None
