"""LinkedIn's complete archive ("Download larger data archive").

`Shares.csv` (`Shares_<member>.csv` in newer archives) has a line for each post,
`Articles/Articles/*.html` a page for each article, and `Profile.csv` the name. Times are UTC.
"""

import csv
import re
from collections.abc import Iterator
from datetime import datetime

from moodswarm.imports.archives.files import Archive, ArchiveError
from moodswarm.imports.archives.layout import find, missing
from moodswarm.imports.archives.pages import markdown, parse, text, with_title
from moodswarm.imports.items import Item, Skipped, Unusable, build

SHARES = r"Shares(_\d+)?\.csv"
ARTICLES = r"Articles/(?:Articles/)?[^/]+\.html"
PROFILE = r"Profile(_\d+)?\.csv"

# Notes may stand above the header.
_HEADER_WITHIN = 20
_LINK = "https://www.linkedin.com/"
# Values of `Visibility` for posts that were never public.
_NOT_PUBLIC = ("CONNECTIONS", "CONTAINER")


def read(archive: Archive, author_full_name: str | None) -> Iterator[Item]:
    """Yield posts, then articles.

    Raises:
        ArchiveError: there are neither posts nor articles, or there is no name.
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
        for _, row in _rows(archive, name, "First Name"):
            full_name = f"{row.get('First Name') or ''} {row.get('Last Name') or ''}".strip()
            if full_name:
                return full_name
    raise ArchiveError('has no name in Profile.csv; pass it with --author "Full Name"')


def _rows(archive: Archive, name: str, column: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row by column name) of a CSV file, starting below the header."""
    with archive.open_text(name) as text_lines:
        lines = csv.reader(text_lines)
        try:
            header: list[str] | None = None
            for number, values in enumerate(lines):
                if header:
                    yield lines.line_num, dict(zip(header, values, strict=False))
                elif column in (stripped := [value.strip() for value in values]):
                    header = stripped
                elif number >= _HEADER_WITHIN:
                    break
            if not header:
                raise ArchiveError(f"has no column {column}; is it LinkedIn's own file?")
        except csv.Error as error:
            raise ArchiveError(f"broken CSV at line {lines.line_num}: {error}") from error


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
    if row.get("Visibility", "").strip().upper().startswith(_NOT_PUBLIC):
        return Skipped(where, "not_public")
    link = row.get("ShareLink", "").strip()
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


def unquote(commentary: str) -> str:
    r"""Undo the quoting that LinkedIn adds to that of CSV.

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
    published = _time(text(page, "p.published").removeprefix("Published on"))
    if not published:
        return Skipped(name, "draft")
    link = page.css("h1 a::attr(href)").get("")
    if not link.startswith("http"):
        return Unusable(name, f"expected the article's address in its heading, found {link!r:.60}")
    title = text(page, "h1") or text(page, "title")
    page.css("h1, p.created, p.published, body > img").drop()
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


def _time(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written.strip().removesuffix("UTC").strip())
    except ValueError:
        return None
