"""Pages that are refused, and pages that must not be."""

import json

import pytest

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.links import discover_links
from moodswarm.extraction.page import extract_page

URL = "https://solano.example/notes/hinges"
PROSE = "<p>The shed door speaks first, and by November it would not open without a can of oil.</p>"
CARDS = "".join(
    f'<li><h3><a href="/notes/{i}">Another note, number {i}</a></h3><p>Two lines.</p></li>'
    for i in range(8)
)


def reason(page: str, url: str = URL) -> str | None:
    found = extract_page(page.encode(), url)
    return found.reason if isinstance(found, Refused) else None


@pytest.mark.parametrize(
    "page",
    [
        '<body><div id="root"></div><script src="a.js"></script>',
        '<body><div id="__next"><p>Loading...</p></div><script>1</script>',
        "<body><noscript>Please enable JavaScript to continue.</noscript><p>Mira</p>",
        "<body><app-root></app-root><script src='a.js'></script><footer>© Mira</footer>",
    ],
)
def test_an_empty_application_needs_a_browser(page: str) -> None:
    assert reason(page) == "needs_browser"


@pytest.mark.parametrize(
    "page",
    [
        f'<body><div id="root"><h1>Hinges</h1>{PROSE * 8}</div><script src="a.js"></script>',
        f'<body><main>{PROSE * 8}</main><div id="app"></div><script src="comments.js"></script>',
        f"<body><noscript>Enable JavaScript for comments.</noscript><article>{PROSE * 8}</article>",
        f"<body><article><h1>Hinges</h1>{PROSE * 2}</article>",
    ],
)
def test_a_page_whose_text_is_there_needs_no_browser(page: str) -> None:
    assert reason(page) is None


@pytest.mark.parametrize("path", ["/", "/blog/", "/tag/boats", "/2024/05/", "/notes/page/2"])
def test_a_list_of_teasers_is_not_an_article(path: str) -> None:
    page = f"<body><h1>Notes</h1><ul>{CARDS}</ul></body>"
    assert reason(page, "https://solano.example" + path) == "not_an_article"


def test_a_list_of_links_is_not_an_article() -> None:
    links = "".join(
        f'<li>May {i} <a href="/notes/{i}">A note on {i} things</a></li>' for i in range(20)
    )
    assert (
        reason(f"<body><h1>Archive</h1><ul>{links}</ul></body>", "https://s.example/all")
        == "not_an_article"
    )


@pytest.mark.parametrize("head", ["", '<meta property="og:type" content="article">'])
def test_an_article_with_many_related_posts_is_one(head: str) -> None:
    page = f"<head>{head}</head><body><article><h1>Hinges</h1>{PROSE * 6}</article><ul>{CARDS}</ul>"
    found = extract_page(page.encode(), URL)
    assert isinstance(found, Article)
    assert "Another note" not in found.content


def test_an_article_of_linked_headings_is_one() -> None:
    part = '<h2><a href="https://tool{0}.example/">Tool {0}</a></h2>' + PROSE
    page = f"<body><h1>Tools</h1>{''.join(part.format(i) for i in range(6))}</body>"
    assert reason(page) is None


def substack(**post: object) -> str:
    state = json.dumps({"post": {"title": "T", "audience": "only_paid", **post}})
    return f"<body><p>x</p><script>window._preloads = {state}</script></body>"


def test_a_paid_post_that_is_complete_is_kept() -> None:
    assert reason(substack(body_html=PROSE * 4, wordcount=68)) is None


@pytest.mark.parametrize(
    "post", [{"body_html": PROSE, "wordcount": 900}, {"body_html": PROSE}, {"body_html": None}]
)
def test_a_paid_post_that_is_cut_off_is_refused(post: dict[str, object]) -> None:
    assert reason(substack(**post)) == "paid_preview"


def test_a_members_story_of_medium_is_refused() -> None:
    content = {
        "isLockedPreviewOnly": True,
        "bodyModel": {"paragraphs": [{"type": "P", "text": "It begins"}]},
    }
    state = json.dumps({"Post:abc": {"title": "T", "content({})": content}})
    assert (
        reason(f"<body><script>window.__APOLLO_STATE__ = {state}</script></body>") == "paid_preview"
    )


def test_links_are_found_in_order_with_feeds_and_next_page() -> None:
    page = """<head><link rel="alternate" type="application/rss+xml" href="/feed.xml">
    <link rel="canonical" href="/notes/"></head><body><a href="/b#x">b</a><a href="a">a</a>
    <a href="/b">b</a><a href="https://other.example/">o</a><a href="mailto:x@y.example">m</a>
    <a rel="next" href="?page=2">more</a><script src="https://substackcdn.com/x.js"></script>"""
    found = discover_links(page.encode(), "https://solano.example/notes/")
    assert found.feeds == ("https://solano.example/feed.xml",)
    assert found.links == tuple(
        "https://solano.example/" + path for path in ("b", "notes/a", "notes/?page=2")
    )
    assert (found.next, found.platform) == ("https://solano.example/notes/?page=2", "substack")
    assert found.canonical == "https://solano.example/notes/"


@pytest.mark.parametrize(
    "title", ["Page not found | Solano", "404", "Error 404: Not Found", "Seite nicht gefunden",
              "Sorry, this page could not be found.", "This page doesn't exist"]
)  # fmt: skip
@pytest.mark.parametrize("place", ["title", "h1"])
def test_a_page_that_says_it_is_missing_is_not_an_article(title: str, place: str) -> None:
    text = f"<{place}>{title}</{place}><p>{'Try the search instead, or go back to start. ' * 5}</p>"
    found = extract_page(f'<meta name="robots" content="noindex">{text}'.encode(), URL)
    assert isinstance(found, Refused)
    assert found.reason == "not_found"


@pytest.mark.parametrize(
    ("title", "robots"),
    [("404", "index"), ("What a 404 taught me", "noindex"), ("Keys not found in Go", "noindex")],
)
def test_an_article_about_missing_pages_is_one(title: str, robots: str) -> None:
    text = f"<h1>{title}</h1><p>{'I went looking for it all day long. ' * 5}</p>"
    found = extract_page(f'<meta name="robots" content="{robots}">{text}'.encode(), URL)
    assert isinstance(found, Article)
