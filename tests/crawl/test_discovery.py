import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawl.runs import AUTHOR, source
from crawl.site import TEXT, article, feed, sitemap
from moodswarm.crawl.discovery import (
    BadListing,
    Listing,
    archive_address,
    is_listing,
    medium_feed,
    next_link,
    read_archive,
    read_listing,
    read_repositories,
)
from moodswarm.crawl.frontier import Frontier, link_hash
from moodswarm.crawl.source_hosts import SourceHosts
from moodswarm.crawl.spec import KnownLink
from moodswarm.crawl.spiders.github import repositories_address

HERE = "https://example.org/"
LIMIT = 1_000_000


def read(body: bytes | str) -> Listing:
    return read_listing(body.encode() if isinstance(body, str) else body, HERE, LIMIT)


def test_a_feed_gives_links_dates_and_texts() -> None:
    listing = read(feed(HERE, "/a", content=f"<p>{TEXT}</p>").body)
    (entry,) = listing.entries
    assert (entry.url, entry.title) == ("https://example.org/a", "About /a")
    assert entry.published_at is not None
    assert entry.published_at.isoformat() == "2024-01-02T03:04:05+00:00"
    assert entry.content == f"<p>{TEXT}</p>"


@pytest.mark.parametrize(
    "end", ["<a href='/a'>Read more</a>", "[&hellip;]", "and so…", "Continue reading on Medium »"]
)
def test_the_beginning_of_a_text_is_not_the_text(end: str) -> None:
    (entry,) = read(feed(HERE, "/a", content=f"<p>{TEXT}</p><p>{end}</p>").body).entries
    assert entry.content is None


def test_a_feed_does_not_spell_a_story_differently_from_its_page() -> None:
    (entry,) = read(feed(HERE, "/story-0123456789ab?source=rss-6fe5d59a6d3a------2").body).entries
    assert entry.url == "https://example.org/story-0123456789ab"


def json_feed(**fields: object) -> str:
    items = [
        {"id": "1", "url": "/a", "title": " About a ", "content_html": f"<p>{TEXT}</p><rss>",
         "date_published": "2024-01-02T04:04:05+01:00"},
        {"id": "https://example.org/b", "content_text": "one < two\n\nthree"},
        {"id": "3", "url": "mailto:a@example.org"},
        {"id": "4", "url": "http://[bad"},
        "nonsense",
    ]  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "<feed >", "items": items}
    return json.dumps(feed | fields)


@pytest.mark.parametrize("mark", ["", "\ufeff", "\n "])
def test_a_json_feed_is_read_as_a_feed(mark: str) -> None:
    body = mark + json_feed(next_url="/feed.json?page=2")
    listing = read(body)
    assert is_listing(body.encode())
    assert (listing.kind, listing.more) == ("feed", "https://example.org/feed.json?page=2")
    first, second = listing.entries
    assert (first.url, first.title) == ("https://example.org/a", "About a")
    assert first.content == f"<p>{TEXT}</p><rss>"
    assert first.published_at is not None
    assert first.published_at.isoformat() == "2024-01-02T03:04:05+00:00"
    assert (second.url, second.title) == ("https://example.org/b", None)
    assert second.content == "<p>one &lt; two</p><p>three</p>"


@pytest.mark.parametrize("items", [None, {}, "a", [None], [{"url": 1, "id": 2}]])
def test_a_json_feed_without_entries_names_nothing(items: object) -> None:
    assert read(json_feed(items=items)) == Listing("feed")


@pytest.mark.parametrize(
    "body",
    [
        '{"a": "<rss>", "b": "<html>", "c": "jsonfeed.org"}',
        '["<feed >", "https://jsonfeed.org/version/1"]',
        '{"version": "https://jsonfeed.org/version/1", "items": [',
        "text with <html> and <urlset> in it",
        "var a = '<rss >'",
    ],
)
def test_markup_within_another_text_makes_it_no_listing(body: str) -> None:
    assert read(body).kind == "unknown"
    assert not is_listing(body.encode())


def test_a_feed_may_begin_with_a_prolog_and_comments() -> None:
    start = b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- <html> -->\n<!DOCTYPE rss>\n'
    body = start + feed(HERE, "/a").body.split(b"?>", 1)[-1]
    assert is_listing(body)
    assert read(body).kind == "feed"


def test_a_body_that_is_the_name_of_a_file_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "feed.xml"
    secret.write_bytes(feed(HERE, "/secret").body)
    assert read(str(secret)).entries == ()


def test_a_sitemap_index_names_listings() -> None:
    listing = read(sitemap(HERE, "/one.xml", "/two.xml", index=True).body)
    assert listing.listings == ("https://example.org/one.xml", "https://example.org/two.xml")
    assert listing.entries == ()


def test_a_sitemap_cannot_name_a_local_file() -> None:
    listing = read(
        '<?xml version="1.0"?><!DOCTYPE u [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        "<urlset><url><loc>https://example.org/&f;</loc></url></urlset>"
    )
    assert "root:" not in str(listing)


def test_a_root_page_names_its_feeds_but_not_that_of_comments() -> None:
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="{path}">'
        for path in ("/feed", "/comments/feed", "/feed")
    )
    listing = read(article("Home", head=links, body='<a href="/about">About</a>'))
    assert (listing.kind, listing.listings) == ("page", ("https://example.org/feed",))
    assert "https://example.org/about" in [entry.url for entry in listing.entries]


@given(st.binary(max_size=300))
def test_nothing_but_a_bad_listing_is_raised(body: bytes) -> None:
    for start in (b"", b"<rss>", b"<urlset>", b"<!doctype html>", b"\x1f\x8b"):
        try:
            read(start + body)
        except BadListing as error:
            assert str(error)  # noqa: PT017


def test_an_archive_page_names_the_next_one() -> None:
    posts = [{"slug": "a", "canonical_url": "https://example.org/p/a"}, {"slug": "b"}, {"id": 3}]
    listing = read_archive(json.dumps(posts).encode(), archive_address(HERE, 25))
    urls = [entry.url for entry in listing.entries]
    assert urls == ["https://example.org/p/a", "https://example.org/p/b"]
    assert listing.more == "https://example.org/api/v1/archive?sort=new&offset=28&limit=25"
    assert read_archive(b"[]", archive_address(HERE, 28)).more is None


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[" * 100_000])
def test_anything_but_a_list_is_a_bad_listing(body: bytes) -> None:
    with pytest.raises(BadListing, match="JSON"):
        read_repositories(body)


@pytest.mark.parametrize(
    ("header", "address"),
    [
        (None, None),
        (
            '<https://a.org/?p=2>; rel="next", <https://a.org/?p=9>; rel="last"',
            "https://a.org/?p=2",
        ),
        ('<https://a.org/?p=1>; rel="prev"', None),
    ],
)
def test_a_link_header_names_the_next_page(header: str | None, address: str | None) -> None:
    assert next_link(header) == address


def test_platforms_are_asked_at_their_own_addresses() -> None:
    assert medium_feed("https://medium.com/@ada") == "https://medium.com/feed/@ada"
    assert medium_feed("https://ada.medium.com/") == "https://ada.medium.com/feed"
    listed = "repos?per_page=100&type=owner"
    assert (
        repositories_address("https://GitHub.com/ada")
        == f"https://api.github.com/users/ada/{listed}"
    )
    assert (
        repositories_address("https://github.com/orgs/a/")
        == f"https://api.github.com/users/a/{listed}"
    )
    assert (
        repositories_address("https://git.a.org/ada")
        == f"https://git.a.org/api/v3/users/ada/{listed}"
    )


SITE = source("https://www.example.org/", canonical_hosts=("mirror.example.net",))
OTHER = source("https://ada.example.com/")


@pytest.mark.parametrize(
    ("canonical", "link"),
    [
        (None, "https://example.org/a"),
        ("https://www.example.org/A?utm_source=x", "https://www.example.org/A?utm_source=x"),
        ("http://example.org/b/", "http://example.org/b/"),
        ("https://mirror.example.net/a", "https://mirror.example.net/a"),
        ("https://ada.example.com/a", "https://ada.example.com/a"),
        ("https://evil.test/a", "https://example.org/a"),
        ("https://example.org.evil.test/a", "https://example.org/a"),
        ("https://example.org/", "https://example.org/a"),
        ("javascript:alert(1)", "https://example.org/a"),
    ],
)
def test_a_page_may_name_only_what_its_author_owns(canonical: str | None, link: str) -> None:
    assert (
        SourceHosts([SITE, OTHER]).document_link(SITE, "https://example.org/a", canonical) == link
    )


def test_another_authors_site_is_not_believed() -> None:
    stranger = OTHER.model_copy(update={"author_full_name": "Mary Shelley"})
    named = SourceHosts([SITE, stranger]).document_link(
        SITE, "https://example.org/a", "https://ada.example.com/a"
    )
    assert AUTHOR not in stranger.author_full_name
    assert named == "https://example.org/a"


def test_a_redirect_of_a_source_widens_that_source_only() -> None:
    sites = SourceHosts([SITE, OTHER])
    sites.admit(SITE, "https://new.example.org/")
    assert sites.allows(SITE, "https://new.example.org/a")
    assert not sites.allows(OTHER, "https://new.example.org/a")


def test_every_spelling_of_a_link_is_met_once(tmp_path: Path) -> None:
    lines = tmp_path / "links.jsonl"
    known = KnownLink(source_id="s", url="https://example.org/a", role="page", depth=1, ask=False)
    lines.write_text(known.model_dump_json() + "\n\n")
    frontier = Frontier(lines, pages_per_source=2)
    assert not frontier.add("s", "http://EXAMPLE.org/a/?utm_source=x#top")
    assert not frontier.full("s")
    assert frontier.add("s", "https://example.org/b")
    assert frontier.full("s")
    assert not frontier.full("t")


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_a_link_and_its_spellings_have_one_hash(path: str) -> None:
    assert link_hash(f"https://example.org/{path}") == link_hash(f"http://Example.org./{path}/#x")
