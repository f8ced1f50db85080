"""HTML pages of an archive: parsing them, and turning their bodies into markdown."""

from typing import TYPE_CHECKING

from moodswarm.imports.archives.files import ArchiveError

if TYPE_CHECKING:
    from parsel import Selector

_REMEDY = 'pages cannot be read without an extra; install it with: pip install "moodswarm[crawl]"'


def parse(html: str) -> "Selector":
    """Parse a page; broken HTML is repaired as browsers do.

    Raises:
        ArchiveError: the `crawl` extra is missing, or the page is empty.
    """
    try:
        from parsel import Selector

        from moodswarm.extraction.tree import sound_markup
    except ImportError as error:
        raise ArchiveError(_REMEDY) from error
    if not html.strip():
        raise ArchiveError("is empty")
    return Selector(text=sound_markup(html), type="html")


def text(selected: "Selector", css: str) -> str:
    """Return the text of the first match with single spaces; empty if nothing matches."""
    found = selected.css(css)
    return " ".join("".join(found[0].css("*::text").getall()).split()) if found else ""


def markdown(body: "Selector", base_url: str) -> str:
    """Convert an element and everything in it to markdown.

    Raises:
        ArchiveError: the `crawl` extra is missing, or the page is nested too deeply.
    """
    try:
        from moodswarm.extraction.markdown import html_to_markdown
    except ImportError as error:
        raise ArchiveError(_REMEDY) from error
    try:
        return html_to_markdown(body.get(), base_url).strip()
    except ValueError as error:
        raise ArchiveError(str(error)) from error


def with_title(title: str, body: str) -> str:
    """Open an article with its title, as a page shows it."""
    return f"# {title}\n\n{body}" if title else body
