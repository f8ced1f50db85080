"""Decodes source files, whichever of the usual encodings their author used."""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# An encoding that a file states at its beginning, as is usual in Python, Ruby, XML, HTML and Emacs.
_STATED = re.compile(rb"(?:coding|encoding|charset)[ \t]*[:=][ \t]*[\"']?([A-Za-z][\w.-]{1,30})")
_STATED_BYTES = 1_024
_NO_ENCODINGS = re.compile(r"utf|escape|idna|punycode|undefined|oem|mbcs")
_WIDE = 10  # non-ASCII characters that UTF-8 must yield for each broken byte
#: If at most one in this many bytes is broken, that is an accident, and the rest is worth having.
_BROKEN = 1_000
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
# Kana, kanji, and the signs and wide letters that occur among them. Narrow kana are left out,
# because the letters of other alphabets, if decoded as Japanese, become narrow kana.
_JAPANESE_TEXT = re.compile(
    "[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e\u2010-\u2312\u25a0-\u266f\xa7-\xf7]"
)
_FEWEST_KANA = 3


def has_mark(data: bytes) -> bool:
    """Tell whether the bytes begin with a byte order mark."""
    return any(data.startswith(mark) for mark, _ in _MARKS)


def decode(data: bytes) -> str | None:
    """Return the text of a file; None if its encoding cannot be determined.

    Valid UTF-8 is taken as such, UTF-16 and UTF-32 are recognised by their byte order mark, and the
    encoding that a file states at its beginning is trusted. Other bytes are taken for Japanese if
    they decode to kana, or for Windows-1252 if all of them make sense in it, as in old Western
    code. No other encoding is guessed, because a wrong guess yields a text that nobody wrote. A few
    broken bytes become U+FFFD.
    """
    if mark := next((name for mark, name in _MARKS if data.startswith(mark)), None):
        return _strict(data, mark)
    text = _strict(data, "iso2022_jp") if b"\x1b$" in data else None
    if text is None:
        text = _strict(data, "utf-8")
    return text if text is not None or b"\0" in data else _decode_old(data)


def _decode_old(data: bytes) -> str | None:
    """Decode bytes that are not valid UTF-8."""
    if (text := _as_stated(data)) is not None:
        return text
    mended = data.decode("utf-8", "replace")
    broken = mended.count("\ufffd")
    if sum(character > "\x7f" for character in mended) - broken >= _WIDE * broken:
        return mended
    for name, fits in (("cp932", _is_japanese), ("euc_jp", _is_japanese), ("cp1252", _is_western)):
        text = _strict(data, name)
        if text is not None and fits(text):
            return text
    return mended if broken * _BROKEN <= len(data) else None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _as_stated(data: bytes) -> str | None:
    stated = _STATED.search(data[:_STATED_BYTES])
    name = stated[1].decode("ascii").lower() if stated else ""
    return None if not name or _NO_ENCODINGS.search(name) else _strict(data, name)


def _is_japanese(text: str) -> bool:
    """Return whether the non-ASCII part of a text is almost all Japanese, with enough kana."""
    wide = [character for character in text if character > "\x7f"]
    kana = sum(_KANA.match(character) is not None for character in wide)
    known = sum(_JAPANESE_TEXT.match(character) is not None for character in wide)
    return kana >= _FEWEST_KANA and kana * 6 >= len(wide) and known * 20 >= len(wide) * 19


def _is_western(text: str) -> bool:
    """Return whether a text is plausibly Western: mostly ASCII, and the rest mostly letters."""
    high = [character for character in text if character > "\x7f"]
    letters = sum(character.isalpha() or character in "\xa0©®°§€“”‘’–—…«»·" for character in high)
    return len(high) * 5 <= len(text) and letters * 10 >= len(high) * 9
