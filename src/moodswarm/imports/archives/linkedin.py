"""LinkedIn's complete archive ("Download larger data archive").

`Shares.csv` (`Shares_<member>.csv` in newer archives) has a line for each post,
`Articles/Articles/*.html` a page for each article, and `Profile.csv` the name. Times are UTC.

In archives from 2018, `Shares.csv` is UTF-16 with tabs, its columns have spaces in their names, and
its dates have slashes, while the rest of the files are like those of today.
"""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote as percent_decoded
from urllib.parse import urlsplit

from moodswarm.imports.archives.files import Archive, ArchiveError
from moodswarm.imports.archives.layout import find, missing
from moodswarm.imports.archives.pages import markdown, parse, text, with_title
from moodswarm.imports.items import Item, Skipped, Unusable, build

if TYPE_CHECKING:
    from parsel import Selector

SHARES = r"Shares(_\d+)?\.csv"
ARTICLES = r"Articles/(?:Articles/)?[^/]+\.html"
PROFILE = r"Profile(_\d+)?\.csv"

# Notes may stand above the header.
_HEADER_WITHIN = 20
_LINK = "https://www.linkedin.com/"
# Values of `Visibility` for posts that were never public. Archives since about 2019 write
# MEMBER_NETWORK for every post, so that a post in a group is known only by its link.
_NOT_PUBLIC = ("CONNECTIONS", "CONTAINER")
_GROUP_POST = ":grouppost:"
# LinkedIn writes this for an image that its author did not describe.
_NO_ALT_TEXT = "no alt text provided for this image"
_IMAGE_HOST = "licdn.com"


def read(archive: Archive, author_full_name: str | None) -> Iterator[Item]:
    """Yield posts, then articles.

    Raises:
        ArchiveError: there are neither posts nor articles, or no author's name.
    """
    shares, articles = find(archive, SHARES), find(archive, ARTICLES)
    if not shares and not articles:
        raise ArchiveError(_missing(archive))
    author = author_full_name or _author(archive)
    for name in shares:
        yield from _guarded_posts(archive, name, author)
    for name in articles:
        try:
            yield _article(archive, name, author)
        except ArchiveError as error:
            yield Unusable(name, str(error))


def _missing(archive: Archive) -> str:
    expected = "Shares.csv and no Articles/*.html"
    if find(archive, PROFILE):
        return (
            f"has no {expected}: it is LinkedIn's smaller archive; request the larger one, "
            "with articles, shares and profile"
        )
    return missing(archive, "linkedin", expected)


def _author(archive: Archive) -> str:
    for name in find(archive, PROFILE):
        for _, row in _rows(archive, name, "FirstName"):
            full_name = f"{row.get('FirstName') or ''} {row.get('LastName') or ''}".strip()
            if full_name:
                return full_name
    raise ArchiveError('has no name in Profile.csv; pass it with --author "Full Name"')


def _rows(archive: Archive, name: str, column: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row as a dict by column name) from a CSV file, starting below the header.

    The column names come without the spaces that some archives have in them.
    """
    with archive.open_text(name) as text_lines:
        header: list[str] | None = None
        number, delimiter = 0, ","
        # Notes may contain quotes and commas, so they are skipped as plain lines and not as CSV.
        for number, written in enumerate(text_lines, start=1):
            delimiter = "\t" if "\t" in written else ","
            found = [_without_spaces(value) for value in written.split(delimiter)]
            if column in found:
                header = found
            if header or number > _HEADER_WITHIN:
                break
        if not header:
            raise ArchiveError(f"has no column {column}; is it LinkedIn's own file?")
        lines = csv.reader(text_lines, delimiter=delimiter)
        try:
            for values in lines:
                yield number + lines.line_num, dict(zip(header, values, strict=False))
        except csv.Error as error:
            place = number + lines.line_num
            raise ArchiveError(f"broken CSV at line {place}: {error}") from error


def _without_spaces(column: str) -> str:
    return "".join(column.split()).strip('"')


def _guarded_posts(archive: Archive, name: str, author: str) -> Iterator[Item]:
    try:
        for line, row in _rows(archive, name, "ShareCommentary"):
            yield _post(f"{name}:{line}", row, author)
    except ArchiveError as error:
        yield Unusable(name, str(error))


def _post(where: str, row: dict[str, str], author: str) -> Item:
    commentary = unquote(row.get("ShareCommentary", "")).strip()
    if not commentary:
        return Skipped(where, "not_own_words")
    link = row.get("ShareLink", "").strip()
    if not _is_public(row.get("Visibility", ""), link):
        return Skipped(where, "not_public")
    if not link.startswith("http"):
        return Unusable(where, f"ShareLink: expected the post's address, found {link!r:.60}")
    published = _time(row.get("Date", ""))
    if not published:
        return Unusable(where, f"Date: expected 2024-05-31 12:00:00, found {row.get('Date')!r:.60}")
    return build(
        where,
        kind="post",
        platform="linkedin",
        link=link,
        author_full_name=author,
        published_at=published,
        content=commentary,
    )


def _is_public(visibility: str, link: str) -> bool:
    """Tell, as far as it is known, whether a post is for everyone, not connections or a group."""
    return (
        not visibility.strip().upper().startswith(_NOT_PUBLIC)
        and _GROUP_POST not in percent_decoded(link).lower()
    )


def unquote(commentary: str) -> str:
    r"""Undo the quoting that LinkedIn adds to the quoting of CSV.

    LinkedIn wraps each line of a commentary in quotes and doubles the quotes in it. Once the CSV
    is read, the two lines `a` and `b "c"` are still written as `a"\n"b ""c""`. Text without these
    marks is returned as it is.
    """
    breaks = commentary.replace("\r\n", "\n")
    if breaks.count("\n") == len(re.findall(r'(?<=")\n(?=")', breaks)):
        breaks = breaks.replace('"\n"', "\n")
    if all(len(run) % 2 == 0 for run in re.findall('"+', breaks)):
        breaks = breaks.replace('""', '"')
    return breaks


def _article(archive: Archive, name: str, author: str) -> Item:
    page = parse(archive.page(name))
    written = text(page, "p.published").removeprefix("Published on").strip()
    if not written.strip("-"):
        return Skipped(name, "draft")
    published = _time(written)
    if not published:
        return Unusable(name, f"Published on: expected 2024-05-31 12:00, found {written!r:.60}")
    link = page.css("h1 a::attr(href)").get("")
    if not link.startswith("http"):
        return Unusable(name, f"expected the article's address in its heading, found {link!r:.60}")
    title = text(page, "h1") or text(page, "title")
    page.css("h1, p.created, p.published, body > img").drop()
    _settle_images(page)
    body = markdown(page.css("body")[0], _LINK)
    if not body:
        return Skipped(name, "empty")
    return build(
        name,
        kind="article",
        platform="linkedin",
        link=link,
        author_full_name=author,
        title=title or None,
        published_at=published,
        content=with_title(title, body),
    )


def _settle_images(page: "Selector") -> None:
    """Remove alt texts that no one wrote, and the signatures of image addresses.

    A signature expires, so that each archive has a different one. With signatures, an article
    that has not changed would seem to have changed.
    """
    for image in page.css("img"):
        element = image.root
        if " ".join(element.get("alt", "").split()).lower().startswith(_NO_ALT_TEXT):
            element.set("alt", "")
        address = element.get("src", "")
        if _is_signed(address):
            element.set("src", address.partition("?")[0])


def _is_signed(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return host == _IMAGE_HOST or host.endswith(f".{_IMAGE_HOST}")


def _time(written: str) -> datetime | None:
    plain = written.strip().removesuffix("UTC").strip().replace("/", "-")
    try:
        return datetime.fromisoformat(plain)
    except ValueError:
        return None
