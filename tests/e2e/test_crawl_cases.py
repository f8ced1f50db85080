"""Several crawls in a row, with sites, limits and settings that change between them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawl.site import TEXT, Answer, Site, article, feed, serve
from e2e.crawls import crawl, stored

pytestmark = pytest.mark.usefixtures("forked_crawlers")

WHOLE = f"<p>From the feed. {TEXT * 3}</p>"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as served:
        yield served


def parameters(site: Site, *links: Any, **sections: Any) -> dict[str, Any]:
    return {
        "authors": [{"full_name": "Mira Solano", "content_is_mine": True, "links": links}],
        "egress": {
            "allow": [f"127.0.0.1:{site.port}"],
            "hosts": dict.fromkeys(site.hosts, "127.0.0.1"),
        },
        "manners": {"delay_seconds": 0, "requests_at_once_per_domain": 8, "retries": 0},
        "extraction": {"processes": 1},
        "browser": {"use": "never"},
        **sections,
    }


def tagged(answer: Answer | str, tag: str = "1") -> Answer:
    """Return an answer with an ETag, so that it can be requested conditionally."""
    answer = Answer(answer.encode()) if isinstance(answer, str) else answer
    return Answer(answer.body, answer.status, answer.kind, {"ETag": f'"{tag}"'})


def test_pages_left_out_by_a_limit_an_author_or_a_failure_come_with_the_next_round(
    site: Site, tmp_path: Path
) -> None:
    """The feed never changes, so a conditional request would get a 304 without any links."""
    site["/feed.xml"] = tagged(feed(site.address, "/0", "/1", "/2", "/3", "/4", content=WHOLE))
    for number in range(4):
        site[f"/{number}"] = tagged(article(f"Number {number}"))
    site["/4"] = Answer(status=403)
    here = parameters(site, f"{site.address}/feed.xml")

    few = crawl(tmp_path, {**here, "limits": {"pages_per_source": 3}})
    assert (few["totals"]["new"], few["sources"][0]["reasons"]["skipped"]) == (
        2,
        {"pages_per_source": 3},
    )
    assert crawl(tmp_path, here)["totals"]["new"] == 3
    assert len(stored(tmp_path)) == 5

    # One page is forbidden, but its text is in the feed, in this round and in the last.
    again = crawl(tmp_path, here)["totals"]
    assert (again["unchanged"], again["failed"]) == (5, 0)

    # With another author name, the same feed is a new source that was never read.
    renamed = parameters(site, f"{site.address}/feed.xml")
    renamed["authors"][0]["full_name"] = "Mira Adela Solano"
    assert crawl(tmp_path, renamed)["totals"]["changed"] == 5


def test_pages_that_a_removed_source_named_first_are_still_requested(
    site: Site, tmp_path: Path
) -> None:
    site["/a/feed.xml"] = tagged(feed(site.address, "/tea"))
    site["/b/feed.xml"] = tagged(feed(site.address, "/tea"))
    site["/tea"] = article("Tea")
    links = [f"{site.address}/a/feed.xml", f"{site.address}/b/feed.xml"]
    crawl(tmp_path, parameters(site, *links))
    site["/tea"] = article("Black tea")
    totals = [crawl(tmp_path, parameters(site, link))["totals"] for link in links]
    assert [total["found"] for total in totals] == [1, 1]
    assert totals[0]["changed"] == 1


def test_a_copy_of_a_page_is_the_same_document_even_if_crawled_alone(
    site: Site, tmp_path: Path
) -> None:
    home, copy = site.at("mira.test"), site.at("letters.test")
    site[f"{home}/tea"] = article("Tea")
    site[f"{copy}/tea"] = article("Tea", head=f'<link rel="canonical" href="{home}/tea">')
    here = parameters(site, f"{home}/tea", f"{copy}/tea")
    crawl(tmp_path, here)
    crawl(tmp_path, {**here, "only": {"link": f"{copy}/tea"}})
    assert len(stored(tmp_path)) == 1


def test_a_page_whose_canonical_address_does_not_exist_is_kept(site: Site, tmp_path: Path) -> None:
    site["/tea.html"] = tagged(
        article("Tea", head=f'<link rel="canonical" href="{site.address}/tea">')
    )
    here = parameters(site, f"{site.address}/tea.html")
    outcomes = []
    for _ in range(5):
        outcomes.append(crawl(tmp_path, here)["totals"]["gone"])
        (tea,) = stored(tmp_path).values()
        assert tea.deleted_at is None
    assert outcomes == [0] * 5


def test_an_archive_is_read_past_a_page_that_a_feed_already_named(
    site: Site, tmp_path: Path
) -> None:
    site["/feed.xml"] = feed(site.address, "/p/0", "/p/1")
    for number in range(6):
        site[f"/p/{number}"] = article(f"Number {number}")
    for offset in (0, 2, 4, 6):
        posts = [{"slug": f"{n}", "canonical_url": f"{site.address}/p/{n}"} for n in range(6)]
        page = json.dumps(posts[offset : offset + 2]).encode()
        site[f"/api/v1/archive?sort=new&offset={offset}&limit=25"] = Answer(
            page, kind="application/json"
        )
    letters = {"link": site.address, "platform": "substack", "discover": True}
    crawl(tmp_path, parameters(site, f"{site.address}/feed.xml"))
    crawl(tmp_path, parameters(site, f"{site.address}/feed.xml", letters))
    assert len(stored(tmp_path)) == 6


def test_an_invalid_source_does_not_stop_the_others(site: Site, tmp_path: Path) -> None:
    site["/git/tea"] = Answer(status=404)
    user = {"link": f"{site.address}/", "platform": "github", "discover": True}
    other = {"link": f"{site.address}/mira", "platform": "github", "discover": True}
    report = crawl(tmp_path, parameters(site, user, other))
    assert [f["link"] for f in report["failures"]] == [user["link"], other["link"]]


def test_broken_unicode_in_a_feed_ends_in_a_visit(site: Site, tmp_path: Path) -> None:
    site["/feed.xml"] = Answer(
        feed(site.address, "/tea", content=WHOLE).body.replace(
            b"About /tea", b"<![CDATA[Tea &#xD800;&#55296; hot]]>"
        ),
        kind="application/rss+xml",
    )
    site["/tea"] = Answer(status=403)
    report = crawl(tmp_path, parameters(site, f"{site.address}/feed.xml"))
    assert report["totals"]["found"] == 1


def test_an_entry_that_redirects_is_one_document_and_counts_once(
    site: Site, tmp_path: Path
) -> None:
    site["/feed.xml"] = feed(site.address, "/click/tea")
    site["/click/tea"] = Answer(status=302, headers={"Location": f"{site.address}/tea"})
    site["/tea"] = tagged(article("Tea"))
    here = parameters(site, f"{site.address}/feed.xml")
    assert crawl(tmp_path, here)["totals"]["new"] == 1
    for _ in range(2):
        totals = crawl(tmp_path, here)["totals"]
        assert (totals["unchanged"], totals["changed"]) == (1, 0)
    assert len(stored(tmp_path)) == 1


def test_a_feed_at_an_odd_address_is_followed(site: Site, tmp_path: Path) -> None:
    site["/posts.xml"] = tagged(feed(site.address, "/tea"))
    site["/tea"] = tagged(article("Tea"))
    here = parameters(site, f"{site.address}/posts.xml")
    for outcome in ("new", "unchanged"):
        report = crawl(tmp_path, here)
        assert (report["totals"]["found"], report["totals"][outcome]) == (1, 1)
    assert list(stored(tmp_path)) == [f"{site.address}/tea".replace("http:", "https:")]


def test_a_site_without_a_listing_reports_pages_over_its_limit_and_gets_them_later(
    site: Site, tmp_path: Path
) -> None:
    def page(title: str, *links: str) -> Answer:
        return tagged(article(title, body="".join(f"<a href='{link}'>to</a>" for link in links)))

    site["/"], site["/a"] = page("Home", "/a"), page("A", "/", "/b", "/c", "/d")
    for name in "bcd":
        site[f"/{name}"] = page(name.upper(), "/", "/a", "/b", "/c", "/d")
    few = parameters(site, site.address, limits={"pages_per_source": 3})
    for outcome in ("new", "unchanged"):
        report = crawl(tmp_path, few)
        assert report["totals"][outcome] == 2
        assert report["sources"][0]["reasons"]["skipped"] == {"pages_per_source": 2}
    assert crawl(tmp_path, parameters(site, site.address))["totals"]["new"] == 2
