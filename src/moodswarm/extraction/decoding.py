"""Bytes to text. Servers and pages misstate their encoding, so it is decided from the bytes."""

import codecs
import re

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

_SAMPLE = 64 * 1024
_MAGIC = (
    b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b",
    b"RIFF", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"OggS",
    b"ID3", b"\x00\x00\x01\x00", b"wOFF", b"wOF2", b"SQLite format 3", b"\x28\xb5\x2f\xfd", b"%!PS",
    b"Rar!", b"\x00asm", b"{\\rtf",
)  # fmt: skip
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(r"<[a-zA-Z!?/]")
_SPREAD_OUT = re.compile(rb"(?:[^\x00]\x00){8}|(?:\x00[^\x00]){8}")
# Text that was decoded with the wrong encoding has words that mix ASCII letters with letters of
# another script, and words that consist only of accented letters.
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_UNLIKELY_SHARE = 0.3
_BROKEN_SHARE = 0.02


class NotHtml(ValueError):
    """The bytes are not a page; the message says what they are."""


def decode_page(body: bytes, content_type: str | None) -> str:
    """Decode the bytes of a page; see `decode_text`.

    Raises:
        NotHtml: the bytes are not HTML, whatever the server calls them.
    """
    text = decode_text(body, content_type)
    if not _MARKUP.search(text):
        raise NotHtml("there is no markup in it")
    return text


def decode_text(body: bytes, content_type: str | None) -> str:
    """Decode the bytes of a page or a plain text.

    The first encoding that fits is used: the one that a byte order mark names, UTF-8 if the bytes
    are valid UTF-8, the encoding that the page declares, the one that the server states, and a
    guess from the bytes. A declared or stated encoding is rejected if it yields implausible text.

    Raises:
        NotHtml: the bytes are not text.
    """
    if encoding := read_bom(body)[0]:
        text = body.decode(encoding, "replace").removeprefix("\ufeff")
    else:
        _refuse_binary(body)
        text = _decode(body, content_type)
    # The parser would stop at a stray NUL.
    return text.replace("\x00", "")


def _refuse_binary(body: bytes) -> None:
    start = body[:2048].lstrip()
    if start.startswith(_MAGIC):
        raise NotHtml(f"begins like a binary file: {start[:8]!r}")
    if _SPREAD_OUT.search(start):
        return  # UTF-16 without a byte order mark
    if len(_CONTROLS.findall(start)) > len(start) * _BROKEN_SHARE:
        raise NotHtml("holds control characters, as binary files do")


def _decode(body: bytes, content_type: str | None) -> str:
    if spread := _SPREAD_OUT.search(body[:2048]):
        return body.decode("utf-16-be" if spread[0][0] == 0 else "utf-16-le", "replace")
    declared = html_body_declared_encoding(body)
    names = [n for n in (declared, http_content_type_encoding(content_type)) if n]
    if b"\x1b" in body and declared and declared.lower().startswith("iso-2022"):
        return body.decode(declared, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        pass
    if _nearly_utf8(body):
        return body.decode("utf-8", "replace")
    for name in names:
        text = _plausible(body, name)
        if text is not None:
            return text
    return _guess(body)


def _nearly_utf8(body: bytes) -> bool:
    """Tell whether the bytes are UTF-8 with a few broken places, such as a cut-off end."""
    sample = body[: 4 * _SAMPLE].decode("utf-8", "replace")
    wide = sum(map(len, re.findall(r"[^\x00-\x7f]+", sample)))
    return wide > 0 and sample.count("\ufffd") <= wide * _BROKEN_SHARE


def _plausible(body: bytes, name: str) -> str | None:
    try:
        if codecs.lookup(name).name in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
            return None  # UTF-8 has been tried, and UTF-16 would have been noticed
        text = body.decode(name, "replace")
    except LookupError:
        return None
    return None if _unlikely(text) else text


def _unlikely(text: str) -> bool:
    words = [w for w in _LETTERS.findall(re.sub(r"<[^>]*>", " ", text)) if not w.isascii()][:2000]
    wrong = text.count("\ufffd")
    for word in words:
        latin = len(_LATIN.findall(word))
        plain = sum(character.isascii() for character in word)
        wrong += (0 < latin < len(word) and plain > 0) or (latin == len(word) and plain == 0)
    return wrong > len(words) * _UNLIKELY_SHARE


def _guess(body: bytes) -> str:
    from charset_normalizer import from_bytes

    # Markup says nothing about the encoding of the text, and would outweigh it.
    prose = re.sub(rb"<(script|style)\b.*?</\1|<[^>]*>", b" ", body, flags=re.DOTALL | re.I)
    best = from_bytes(prose[:_SAMPLE]).best()
    return body.decode(best.encoding if best else "cp1252", "replace")
