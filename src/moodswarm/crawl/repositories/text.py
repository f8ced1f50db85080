"""Decodes a file's bytes to its exact text, or finds the reason why it is left out."""

import io
from collections import Counter
from dataclasses import dataclass

from moodswarm.crawl.repositories.encodings import decode, has_mark
from moodswarm.crawl.repositories.notebooks import notebook_text

_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_BYTES = 1_024
_SHEBANG_BYTES = 256
#: Code with longer lines is minified or generated. Prose may have longer lines than code, because a
#: whole paragraph may be one line.
_CODE_LINE = 5_000
_PROSE_LINE = 20_000
_PROSE = frozenset(["markdown", "rst", "asciidoc", "plain-text", "tex", "org-mode", "mdx"])
# If identify returns several tags, the one that comes first in this list is the language.
_PREFERRED = "jupyter c python ruby scala pascal objective-c++ json xml ini toml yaml shell".split()


#: The most paths to list for each reason why files were skipped.
_NAMED = 100


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a file is left out: `binary`, `not_text`, `lfs_pointer` and so on."""

    reason: str
    path: str | None = None


class SkippedFiles(Counter[str]):
    """How many files were left out, per reason.

    Attributes:
        paths: The paths of the first files for each reason; a path that is not safe to show is not
            among them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[str, list[str]] = {}

    def leave_out(self, reason: str, path: str | None) -> None:
        """Count a file, and note its path."""
        self[reason] += 1
        named = self.paths.setdefault(reason, []) if path else []
        if path and len(named) < _NAMED:
            named.append(path)


def is_binary_name(path: str) -> bool:
    """Return whether a path looks like that of a binary file, which need not be read then."""
    from identify import identify

    return identify.BINARY in identify.tags_from_filename(path)


def language_of(path: str, data: bytes) -> str | None:
    """Return the language of a file, from its name or else from its first line (`#!`)."""
    from identify import identify

    tags = identify.tags_from_filename(path)
    if not tags and data.startswith(b"#!"):
        first = data[:_SHEBANG_BYTES].splitlines()[0]
        program = identify.parse_shebang(io.BytesIO(first))
        tags = identify.tags_from_interpreter(program[0]) if program else set()
    named = tags - identify.ENCODING_TAGS
    return next((tag for tag in _PREFERRED if tag in named), min(named, default=None))


def text_of(data: bytes, language: str | None) -> str | LeftOut:
    """Return a file's text, exact to every space and line end, or the reason to leave it out.

    A byte order mark is removed, and broken bytes become U+FFFD (see `decode`). For a notebook,
    only the cells are returned.
    """
    if len(data) <= _LFS_BYTES and data.startswith(_LFS):
        return LeftOut("lfs_pointer")
    text = decode(data)
    if text is None:
        return LeftOut("binary" if b"\0" in data else "not_text")
    if "\0" in text or _is_binary(data):
        return LeftOut("binary")
    prose = language in _PROSE
    if language == "jupyter" and (cells := notebook_text(text)) is not None:
        text, prose = cells, True
    longest = max(map(len, text.splitlines()), default=0)
    if longest > (_PROSE_LINE if prose else _CODE_LINE):
        return LeftOut("long_lines")
    return text


def _is_binary(data: bytes) -> bool:
    from identify import identify

    if has_mark(data):
        return False
    return not identify.is_text(io.BytesIO(data))
