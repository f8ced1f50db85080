"""Texts that a server sends as they were written: markdown and plain text."""

import re

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.kinds import Kind
from moodswarm.extraction.titles import with_title

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"\s*(?:#[ \t]+([^\n]+?)[ \t#]*|([^\n]+)\n=+[ \t]*)(?:\n|$)")


def read_text(text: str, kind: Kind) -> Article | Refused:
    """Take a text as it is, except that markdown's front matter is replaced with its title.

    Args:
        text: The decoded text.
        kind: `markdown` has a title; in plain text, no line is known to be the title.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    title = None
    if kind == "markdown":
        title, text = _split_title(text)
    text = text.strip("\n").rstrip()
    if not text.strip():
        return Refused("empty", "there is no text in it")
    return Article(
        title=title,
        author=None,
        published_at=None,
        language=None,
        canonical=None,
        content=with_title(title, text),
        platform="web",
    )


def _split_title(text: str) -> tuple[str | None, str]:
    """Return the title of a markdown text, and the text without its front matter."""
    named = None
    if front := _FRONT_MATTER.match(text):
        named = _TITLE.search(front[1])
        text = text[front.end() :]
    if named:
        return named[1].strip("\"'"), text
    heading = _HEADING.match(text)
    if heading is None:
        return None, text
    if heading[1]:
        return heading[1], text
    # An underlined heading is removed, since `with_title` writes it again, with a `#`.
    return heading[2].strip(), text[heading.end() :].lstrip("\n")
