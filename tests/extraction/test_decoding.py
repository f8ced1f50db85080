"""The encoding is decided from the bytes, since servers and pages misstate it."""

import pytest

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.decoding import decode_page
from moodswarm.extraction.page import extract_page

RUSSIAN = "<p>Маяк на северном мысу погас ночью, и никто в городе этого не заметил до утра.</p>"
FRENCH = "<p>L’été dernier, le phare s’est éteint à l’aube, et personne n’a rien remarqué.</p>"


def page(text: str, head: str = "") -> str:
    return f"<html><head>{head}<title>x</title></head><body>{text}</body></html>"


@pytest.mark.parametrize(
    ("encoding", "text", "head", "content_type"),
    [
        ("utf-8", RUSSIAN, "", "text/html; charset=iso-8859-1"),
        ("utf-8", RUSSIAN, '<meta charset="windows-1252">', None),
        ("utf-8-sig", RUSSIAN, '<meta charset="koi8-r">', None),
        ("windows-1251", RUSSIAN, '<meta charset="windows-1251">', "text/html; charset=utf-8"),
        ("windows-1251", RUSSIAN, "", "text/html; charset=windows-1251"),
        ("windows-1251", RUSSIAN * 5, '<meta charset="iso-8859-1">', None),
        ("windows-1251", RUSSIAN * 5, "", None),
        ("windows-1252", FRENCH, "", "text/html; charset=iso-8859-1"),
        ("windows-1252", FRENCH, '<meta charset="utf-8">', "text/html; charset=windows-1252"),
        ("utf-16", RUSSIAN, '<meta charset="utf-8">', None),
        ("utf-16-le", FRENCH, "", "text/html"),
        ("utf-16-be", FRENCH, "", None),
        ("shift_jis", "<p>港の灯台は夜のうちに消えた。</p>", '<meta charset="shift_jis">', None),
    ],
)
def test_text_is_read_as_written(
    encoding: str, text: str, head: str, content_type: str | None
) -> None:
    whole = page(text, head)
    assert decode_page(whole.encode(encoding), content_type) == whole


def test_a_broken_place_does_not_cost_the_encoding() -> None:
    body = page(RUSSIAN * 20).encode() + b"<p>\xff\xfe cut \xd0</p>"
    assert RUSSIAN in decode_page(body, "text/html; charset=windows-1252")


@pytest.mark.parametrize(
    "body",
    [
        b"%PDF-1.7\n<html>",
        b"\x89PNG\r\n\x1a\n" + b"<p>text</p>" * 50,
        b"\x1f\x8b\x08\x00" + bytes(100),
        bytes(range(256)) * 20,
        b"just words, no page at all",
    ],
)
def test_other_bytes_are_not_html_whatever_the_server_says(body: bytes) -> None:
    found = extract_page(body, "https://x.example/", content_type="text/html; charset=utf-8")
    assert isinstance(found, Refused)
    assert found.reason == "not_html"


def test_an_unknown_encoding_is_not_an_error() -> None:
    body = page(FRENCH, '<meta charset="klingon">').encode("windows-1252")
    found = extract_page(body, "https://x.example/", content_type="text/html; charset=elvish")
    assert isinstance(found, Article)
    assert "été" in found.content
