"""Pages that are made to waste time or memory, or to pass for something else."""

from time import process_time

import pytest

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.links import PageLinks, discover_links
from moodswarm.extraction.page import extract_page
from moodswarm.extraction.verdicts import refuse_costly

TEXT = "<p>A paragraph that is long enough to be kept by anyone who looks for an article.</p>" * 5
URL = "https://x.example/notes/a"


@pytest.mark.parametrize(
    ("page", "detail"),
    [
        ("<div>" * 10_000 + TEXT, "nested deeper than 250"),
        ("<b>x" * 1_000 + TEXT, "nested deeper than 250"),
        ("<p " + " ".join(f"a{i}=1" for i in range(100_000)) + ">" + TEXT, "more than 2,000 attr"),
        ("<p " + " ".join(f'a{i}="<>"' for i in range(9_000)) + ">" + TEXT, "more than 2,000 attr"),
        ("<p>a" * 150_000, "more than 100,000 tags"),
        ("<p>" + "word " * 700_000, "bytes; at most 3,000,000"),
    ],
    ids=["deep", "unclosed", "attributes", "quoted attributes", "tags", "bytes"],
)
def test_costly_pages_are_refused_before_they_cost(page: str, detail: str) -> None:
    found = extract_page(page.encode(), URL)
    assert isinstance(found, Refused)
    assert found.reason == "too_large"
    assert detail in found.detail


@pytest.mark.parametrize(
    "page",
    [
        TEXT + "<p>" + "*a " * 100_000,
        TEXT + "<p>" + "_a " * 100_000,
        "<title>" + "a | " * 100_000 + "</title>" + TEXT,
        '<script type="application/ld+json">' + "[" * 100_000 + "</script>" + TEXT,
        '<script>window._preloads = JSON.parse("' + "[" * 100_000 + '")</script>' + TEXT,
        '<div class="' + "share-" * 50_000 + '">' + TEXT,
        '<a href="http://[bad">x</a><img src="http://[bad" alt="y">' + TEXT,
        '<base href="http://[bad"><link rel="canonical" href="http://[bad">' + TEXT,
        '<time datetime="99999-99-99">x</time><meta name="date" content="0000">' + TEXT,
        "<!--" + TEXT + "--><p>\x00&#0;&#xD800;&#x110000;" + TEXT,
    ],
    ids=["stars", "underscores", "title", "json-ld", "preloads", "class", "link", "base", "time",
         "characters"],
)  # fmt: skip
def test_strange_pages_still_yield_their_article(page: str) -> None:
    found = extract_page(f"<html><body>{page}</body></html>".encode(), URL)
    assert isinstance(found, Article)
    assert "long enough to be kept" in found.content
    found.content.encode()


def test_scripts_and_script_links_are_never_part_of_an_article() -> None:
    bad = "<script>alert(1)</script><a href='javascript:alert(2)'>press</a>"
    found = extract_page(f"<body><article>{TEXT}{bad}<p>end of it</p></article>".encode(), URL)
    assert isinstance(found, Article)
    assert "alert" not in found.content
    assert "press" in found.content


@pytest.mark.parametrize("body", [b"", b"   \n", b"<html></html>"])
def test_a_page_without_anything_is_empty(body: bytes) -> None:
    found = extract_page(body, URL)
    assert isinstance(found, Refused)
    assert found.reason in ("empty", "not_html")


@pytest.mark.parametrize("body", [b"", b"%PDF-1.4", b"<b>" * 1_000, b"<p " + b"a " * 9_000])
def test_bytes_that_are_not_a_page_have_no_links(body: bytes) -> None:
    assert discover_links(body, URL) == PageLinks()


@pytest.mark.parametrize(
    "markup",
    [
        "<script>for(i=0;i<n;i++){}</script>",
        "<SCRIPT type='text/javascript'>for(i=0;i<n;i++){}</SCRIPT>",
        "<style>a:after{content:'<b '}</style>",
        "<textarea>if (i<n) </textarea>",
        "<!-- i <n and 'more -->",
        "<!--><p>shown</p><!-- i <n -->",
    ],
)
def test_what_is_not_markup_is_not_read_as_tags(markup: str) -> None:
    end = markup.rindex("</") if "</" in markup[-12:] else markup.rindex("-->")
    code = " ".join(f"a{i} = {i};" for i in range(9_000))
    page = f"<main><h1>Tea</h1>{markup[:end]} {code} {markup[end:]}{TEXT}</main>"
    found = extract_page(page.encode(), URL)
    assert isinstance(found, Article), found
    assert "anyone who looks" in found.content
    assert "a17 = 17" not in found.content


def test_attributes_after_a_comment_and_a_script_are_counted() -> None:
    tag = "<p " + " ".join(f"a{i}=1" for i in range(9_000)) + ">"
    for before in ("<!-- a -->", "<script>x<y</script>", "<!-- a", "<!-->"):
        found = extract_page((before + tag + TEXT).encode(), URL)
        assert isinstance(found, Refused)
        assert found.reason == "too_large"


@pytest.mark.parametrize("before", ["<!--", "<script>", "<script><!--", "<!-->", "<a <!--"])
def test_many_beginnings_without_an_end_take_no_time(before: str) -> None:
    started = process_time()
    refuse_costly(before * (2_900_000 // len(before)))
    assert process_time() - started < 5
