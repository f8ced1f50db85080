"""The parts of a markdown document, for comparing two documents."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
# In scripts that are written without spaces, each character counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]|[^\W_]+")
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(slots=True)
class Outline:
    """The parts of a document that a reader would miss.

    Attributes:
        words: All words of the text, code included, in order and in lower case.
        code: The texts of the code blocks, fenced or indented, without trailing white space.
        headings: The words of each heading. The level does not count, as themes shift levels.
        items: The words of each list item, without the words of the lists inside it.
        title: The title of the front matter, or else the first heading of level 1.
    """

    words: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    title: str | None = None


def read_outline(text: str) -> Outline:
    """Parse markdown, with or without front matter."""
    from markdown_it import MarkdownIt

    title, text = split_front_matter(text.replace("\r\n", "\n"))
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    reader = _Reader()
    for token in parser.parse(text):
        reader.read(token)
    outline = reader.outline
    first = outline.title
    if title and words_of(title) != words_of(first or ""):
        # The title is part of the document, whether front matter or a heading holds it.
        outline.words = words_of(title) + outline.words
    outline.title = title or first
    return outline


class _Reader:
    """Sorts what a parser finds into an outline."""

    def __init__(self) -> None:
        self.outline = Outline()
        self._items: list[list[str]] = []
        self._heading: str | None = None

    def read(self, token: "Token") -> None:
        outline = self.outline
        if token.type == "list_item_open":
            self._items.append([])
        elif token.type == "list_item_close":
            _add(outline.items, self._items.pop())
        elif token.type == "heading_open":
            self._heading = token.tag
        elif token.type in ("fence", "code_block"):
            outline.code.append(plain_code(token.content))
            outline.words += words_of(token.content)
        elif token.type == "html_block":
            outline.words += words_of(unescape(_TAG.sub(" ", token.content)))
        elif token.type == "inline":
            self._read_text("".join(_shown(token.children or [])))

    def _read_text(self, text: str) -> None:
        words = words_of(text)
        self.outline.words += words
        if self._heading:
            _add(self.outline.headings, words)
            if self._heading == "h1" and self.outline.title is None:
                self.outline.title = " ".join(text.split())
            self._heading = None
        elif self._items:
            self._items[-1] += words


def _shown(tokens: "list[Token]") -> Iterator[str]:
    for token in tokens:
        if token.type == "image":
            # Two images stand apart, even if there is no space between them.
            yield f" {''.join(_shown(token.children or []))} "
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type == "html_inline":
            yield " " if token.content.startswith(("<br", "<p")) else ""
        else:
            yield token.content


def split_front_matter(text: str) -> tuple[str | None, str]:
    """Return the title of a document's YAML front matter, and the document without it."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return None, text
    title = _TITLE.search(match[1])
    found = title[1].strip("\"'").replace("''", "'").replace('\\"', '"') if title else None
    return found, text[match.end() :]


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case; addresses are left out."""
    return _WORD.findall(_ADDRESS.sub(" ", text).lower())


def plain_code(text: str) -> str:
    """Return code without the white space at the ends of its lines and at its own end."""
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n"))


def _add(found: list[str], words: list[str]) -> None:
    if words:
        found.append(" ".join(words))
