"""The encoding is decided from the bytes, since servers and pages misstate it."""

from time import process_time

import pytest

from moodswarm.crawl.discovery import is_listing
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


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"a": "<p>text</p>"}]}', None),
        ('[{"content_html": "<p>text</p>"}]', "text/html"),
        ('{"a": "<p>text</p>"}', "application/json"),
        ('["' + "[" * 9 + '<p>"]', "application/octet-stream"),
        ("(function () { el.innerHTML = '<p>text</p>' })()", None),
        ("/* <b> */\n// <i>\nvar a = '<p>text</p>'", "application/octet-stream"),
        ("document.write('<p>text</p>')", "text/javascript; charset=utf-8"),
        ("a = '<p>text</p>'", "application/javascript"),
        ("/* <p> */ a {}", "text/css"),
        ("<?xml version='1.0'?><rss><item><p>text</p></item></rss>", "application/rss+xml"),
        ("<svg><p>text</p></svg>", "image/svg+xml"),
    ],
)
def test_what_holds_markup_but_is_no_page_is_refused(body: str, content_type: str | None) -> None:
    found = extract_page(body.encode(), "https://x.example/a", content_type=content_type)
    assert isinstance(found, Refused)
    assert found.reason == "not_html"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "text/javascript", "x"])
@pytest.mark.parametrize(
    "start",
    ["<!doctype html>", "\ufeff<!-- a --> <!-- b -->\n<html>", "<?xml version='1.0'?><html>"],
)
def test_a_whole_page_is_a_page_whatever_the_server_calls_it(start: str, content_type: str) -> None:
    body = (start + page(RUSSIAN * 5)).encode()
    found = extract_page(body, "https://x.example/a", content_type=content_type)
    assert isinstance(found, Article)
    assert "Маяк" in found.content


@pytest.mark.parametrize(
    ("text", "content_type", "title", "content"),
    [
        ("# Tea\n\nUse `<p>`:\n\n- a\n", "text/markdown", "Tea", "# Tea\n\nUse `<p>`:\n\n- a"),
        ("---\ntitle: 'Tea'\n---\nIt *steeps*.", "text/markdown; charset=utf-8", "Tea",
         "# Tea\n\nIt *steeps*."),
        ("Tea\n===\n\nIt steeps.", "text/x-markdown", "Tea", "# Tea\n\nIt steeps."),
        ("  Tea <p>\r\n\r\n  * steeps\x0c", "text/plain", None, "  Tea <p>\n\n  * steeps"),
        ("[a] b\n\na < b: été", "text/plain; charset=latin-1", None, "[a] b\n\na < b: été"),
    ],
)  # fmt: skip
def test_a_text_is_taken_as_it_is(
    text: str, content_type: str, title: str | None, content: str
) -> None:
    encoding = "latin-1" if "latin-1" in content_type else "utf-8"
    found = extract_page(text.encode(encoding), "https://x.example/a", content_type=content_type)
    assert isinstance(found, Article)
    assert (found.title, found.content) == (title, content)


def test_a_markdown_file_that_is_sent_as_plain_text_has_its_title() -> None:
    found = extract_page(b"# Tea\n\nx", "https://x.example/a.md", content_type="text/plain")
    assert isinstance(found, Article)
    assert found.title == "Tea"


@pytest.mark.parametrize("body", [b"\n \n", b"\x7fELF\x02\x01\x01", b"\x00\x01\x02\x03" * 9])
def test_an_empty_or_binary_text_is_refused(body: bytes) -> None:
    found = extract_page(body, "https://x.example/a", content_type="text/plain")
    assert isinstance(found, Refused)
    assert found.reason in ("empty", "not_html")


@pytest.mark.parametrize("start", ["<!-- a -->", "<?a ?>", "/* a */", "//a\n"])
def test_a_long_prolog_takes_no_time(start: str) -> None:
    started = process_time()
    extract_page((start * 2_000).encode(), "https://x.example/a")
    is_listing((start * 2_000).encode())
    assert process_time() - started < 2
