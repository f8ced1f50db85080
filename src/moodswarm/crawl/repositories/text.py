"""Decodes a file's bytes to its exact text, or finds the reason why it is left out."""

import codecs
import io
from dataclasses import dataclass

_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_BYTES = 1_024
_SHEBANG_BYTES = 256
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Minified or generated: no person writes lines this long, but a paragraph may be one line.
_CODE_LINE = 5_000
_PROSE_LINE = 20_000
_PROSE = frozenset(["markdown", "rst", "asciidoc", "plain-text", "tex", "org-mode", "mdx"])
# If identify returns several tags, the first of these is the language.
_PREFERRED = "jupyter c python ruby scala pascal objective-c++ json xml ini toml yaml shell".split()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a file is left out: `binary`, `not_text`, `lfs_pointer` and so on."""

    reason: str


def is_binary_name(path: str) -> bool:
    """Return whether a path ends like a binary file, which then need not be read."""
    from identify import identify

    return identify.BINARY in identify.tags_from_filename(path)


def language_of(path: str, data: bytes) -> str | None:
    """Return the language of a file by its name, or else by its first line (`#!`)."""
    from identify import identify

    tags = identify.tags_from_filename(path)
    if not tags and data.startswith(b"#!"):
        first = data[:_SHEBANG_BYTES].splitlines()[0]
        program = identify.parse_shebang(io.BytesIO(first))
        tags = identify.tags_from_interpreter(program[0]) if program else set()
    named = tags - identify.ENCODING_TAGS
    return next((tag for tag in _PREFERRED if tag in named), min(named, default=None))


def text_of(data: bytes, language: str | None) -> str | LeftOut:
    """Decode a file: every character, space and line end as it is, without a byte order mark.

    Valid UTF-8 is read as such, UTF-16 and UTF-32 by their mark. Anything else is read as
    Windows-1252, if all its bytes make sense in it, as those of old western code do. No other
    encoding is guessed: a wrong guess would be a text that nobody wrote.
    """
    if len(data) <= _LFS_BYTES and data.startswith(_LFS):
        return LeftOut("lfs_pointer")
    text = _decode(data)
    if text is None:
        return LeftOut("binary" if b"\0" in data else "not_text")
    if "\0" in text or _is_binary(data):
        return LeftOut("binary")
    longest = max(map(len, text.splitlines()), default=0)
    if longest > (_PROSE_LINE if language in _PROSE else _CODE_LINE):
        return LeftOut("long_lines")
    return text


def _decode(data: bytes) -> str | None:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding is not None:
            return None
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return text if _is_western(text) else None


def _is_western(text: str) -> bool:
    """Return whether a text is western: mostly ASCII, and most of the rest are letters."""
    high = [character for character in text if character > "\x7f"]
    letters = sum(character.isalpha() or character in "\xa0©®°§€“”‘’–—…«»·" for character in high)
    return len(high) * 5 <= len(text) and letters * 10 >= len(high) * 9


def _is_binary(data: bytes) -> bool:
    from identify import identify

    if any(data.startswith(mark) for mark, _ in _MARKS):
        return False
    return not identify.is_text(io.BytesIO(data))
