"""One crawl of many small sites; each test checks the result for one of the sites."""

from collections.abc import Iterator

import pytest

from crawl.runs import AUTHOR
from crawl.site import serve
from crawl.world import World, crawl_the_world
from moodswarm.crawl.events import LinkFound, Visited
from moodswarm.records.links import canonical_link


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with serve() as site:
        yield crawl_the_world(site, tmp_path_factory.mktemp("world"))


def test_links_are_found_before_their_listing_is_visited(world: World) -> None:
    met: set[str] = {s.link for s in world.sources} | {k.url for k in world.links}
    for event in world.run.events:
        if isinstance(event, LinkFound):
            assert event.found_on in met
            met.add(event.url)
    listed = {e.url for e in world.run.events if isinstance(e, Visited) and e.outcome == "listed"}
    done: set[str] = set()
    for event in world.run.events:
        if isinstance(event, Visited):
            done.add(event.url)
        if isinstance(event, LinkFound) and event.found_on in listed:
            assert event.found_on not in done


def test_every_link_that_was_asked_for_ends_in_one_visit(world: World) -> None:
    asked = {k.url for k in world.links if k.ask} | set(world.run.found())
    visits = [v.url for v in world.run.visits() if v.role != "file"]
    assert sorted(visits) == sorted(asked)


def test_no_spider_met_an_error_of_its_own(world: World) -> None:
    assert [v for v in world.run.visits() if v.reason == "crawler_error"] == []


def test_every_spider_finishes(world: World) -> None:
    assert set(world.run.finished.reasons.values()) == {"finished"}
    assert set(world.run.finished.reasons) == {"web", "medium", "substack", "github"}


def test_a_site_is_followed_by_its_feed_and_its_sitemaps(world: World) -> None:
    for path in ("/one", "/two"):
        assert world.visit(f"listed.test{path}").outcome == "fetched"
        assert (
            world.asked(f"http://listed.test{path}")
            + world.asked(f"http://listed.test{path}?utm_source=map")
            == 1
        )
    assert world.asked("http://listed.test/about") == 0


def test_a_document_carries_what_the_page_and_the_source_say(world: World) -> None:
    document = world.document("listed.test/three")
    assert document.link == f"https://listed.test:{world.site.port}/3"
    assert (document.kind, document.platform, document.spider) == ("article", "web", "web")
    assert (document.author_full_name, document.title) == (AUTHOR, "Three")
    assert document.etag == '"v3"'
    assert "algebraic patterns" in document.content


def test_a_visit_keeps_what_makes_the_next_one_conditional(world: World) -> None:
    visit = world.visit("listed.test/three")
    assert (visit.etag, visit.last_modified) == ('"v3"', "Tue, 02 Jan 2024 03:04:05 GMT")
    assert visit.revision


def test_robots_txt_is_obeyed_and_asked_for_once(world: World) -> None:
    closed = world.visit("listed.test/closed")
    assert (closed.outcome, closed.reason) == ("skipped", "robots")
    assert world.asked("http://listed.test/closed") == 0
    assert world.asked("http://listed.test/robots.txt") == 1


def test_the_feed_stands_in_for_a_page_that_may_not_be_read(world: World) -> None:
    document = world.document("listed.test/private")
    assert document.content.startswith("# About /private\n\nFrom the feed.")
    assert document.title == "About /private"
    assert document.published_at is not None
    assert world.asked("http://listed.test/private") == 0


def test_links_to_other_sites_are_counted_and_not_followed(world: World) -> None:
    assert world.visit("listed.test/feed.xml").skipped == {"off_site": 1}


def test_a_site_without_listings_is_searched_as_deep_as_allowed(world: World) -> None:
    assert world.visit("searched.test/c").depth == 3
    assert world.visit("searched.test/c").outcome == "fetched"
    assert world.asked("http://searched.test/too-deep") == 0
    assert world.asked("http://searched.test/sitemap.xml") == 1


def test_a_feed_is_followed_over_its_pages(world: World) -> None:
    assert world.visit("feed.test/1").outcome == "fetched"
    assert world.visit("feed.test/2").found_on == f"http://feed.test:{world.site.port}/older.xml"


def test_links_to_other_schemes_are_left_out(world: World) -> None:
    assert world.visit("feed.test/older.xml").skipped == {"off_site": 2}


def test_a_single_page_is_asked_for_alone(world: World) -> None:
    assert [type(e).__name__ for e in world.events("single.test")] == ["Visited"]
    assert world.document("single.test/notes").title == "Title /notes"


@pytest.mark.parametrize(
    ("path", "outcome", "reason"),
    [
        ("/gone", "gone", "http_410"),
        ("/home", "fetched", None),
        ("/lost", "gone", "redirected_home"),
        ("/nothing", "gone", "not_found"),
        ("/broken", "failed", "http_500"),
        ("/forbidden", "failed", "http_403"),
        ("/teapot", "failed", "http_418"),
        ("/picture", "skipped", "not_html"),
        ("/empty", "skipped", "empty"),
        ("/large", "failed", "too_large"),
        ("/bomb", "failed", "too_large"),
        ("/script", "failed", "needs_browser"),
        ("/mended", "fetched", None),
    ],
)
def test_a_page_without_an_article_says_why(
    world: World, path: str, outcome: str, reason: str | None
) -> None:
    visit = world.visit(f"odd.test{path}")
    assert (visit.outcome, visit.reason) == (outcome, reason)


def test_a_host_without_address_differs_from_a_refused_one(world: World) -> None:
    assert world.run.visit("nowhere.invalid/").reason == "dns"
    assert world.run.visit("127.0.0.1:1/").reason == "egress"


def test_a_server_error_is_tried_again_and_a_refusal_is_not(world: World) -> None:
    tries = {path: world.asked(f"http://odd.test{path}") for path in ("/broken", "/forbidden")}
    assert tries == {"/broken": 2, "/forbidden": 1}


def test_a_redirect_within_the_site_names_the_new_address(world: World) -> None:
    assert world.document("moved.test/old").link == canonical_link(
        f"http://moved.test:{world.site.port}/new"
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/loop", "redirects"), ("/away", "off_site"), ("/inside", "egress"), ("/file", "http_301")],
)
def test_a_redirect_that_leads_nowhere_good_is_not_followed(
    world: World, path: str, reason: str
) -> None:
    assert world.visit(f"moved.test{path}").reason == reason


def test_a_source_that_moved_is_followed_to_its_new_host(world: World) -> None:
    assert world.visit("newhome.test/story").outcome == "fetched"


def test_an_unchanged_page_is_not_sent_again(world: World) -> None:
    visit = world.visit("known.test/same")
    assert (visit.outcome, visit.etag, visit.document) == ("not_modified", '"kept"', None)


def test_a_changed_page_is(world: World) -> None:
    assert world.visit("known.test/edited").outcome == "fetched"


def test_a_page_that_is_done_is_not_asked_for_when_a_feed_names_it(world: World) -> None:
    assert world.asked("http://known.test/done") == 0
    assert f"http://known.test:{world.site.port}/done" not in world.run.found()


def test_only_what_is_new_is_found(world: World) -> None:
    found = [e.url for e in world.events("known.test") if isinstance(e, LinkFound)]
    assert found == [f"http://known.test:{world.site.port}/fresh"]


def test_a_known_page_that_is_deleted_is_gone(world: World) -> None:
    assert world.visit("known.test/deleted").outcome == "gone"


def test_a_medium_author_is_followed_by_feed_and_sitemap(world: World) -> None:
    assert world.document("medium.test/one-0123456789ab").platform == "medium"
    assert world.visit("medium.test/old-0123456789ac").outcome == "fetched"
    assert world.visit("medium.test/").outcome == "listed"


def test_a_substack_archive_is_read_page_by_page(world: World) -> None:
    assert world.document("letters.test/p/post-0").platform == "substack"
    assert world.visit("letters.test/p/post-26").outcome == "fetched"


def test_a_site_made_with_substack_is_followed_as_such(world: World) -> None:
    assert world.visit("custom.test/p/post-0").outcome == "fetched"


def test_a_github_user_is_listed_over_all_pages_without_forks(world: World) -> None:
    assert world.visit("hub.test/ada").skipped == {"fork": 1, "archived": 1}
    found = [e for e in world.events("hub.test") if isinstance(e, LinkFound)]
    assert [f.role for f in found] == ["listing", "repository"]


def test_a_repository_that_is_not_there_is_gone(world: World) -> None:
    assert world.visit("hub.test/ada/missing").outcome == "gone"


def test_nothing_is_asked_of_a_host_whose_robots_txt_fails(world: World) -> None:
    assert world.visit("sick.test/a").reason == "robots_unreachable"
    assert world.asked("http://sick.test/a") == 0


@pytest.mark.parametrize("path", ["/passwd.rss", "/bomb.xml.gz", "/page.xml"])
def test_anything_but_a_listing_is_a_bad_one(world: World, path: str) -> None:
    visit = world.visit(f"hostile.test{path}")
    assert (visit.outcome, visit.reason) == ("failed", "bad_listing")


@pytest.mark.parametrize("path", ["/laughs.xml", "/cut.xml.gz", "/torn.xml"])
def test_a_broken_listing_names_nothing(world: World, path: str) -> None:
    assert world.visit(f"hostile.test{path}").outcome in ("failed", "listed")
    found = [e for e in world.events("hostile.test") if isinstance(e, LinkFound)]
    assert {f.role for f in found} == {"listing"}


def test_a_source_has_no_more_pages_than_allowed(world: World) -> None:
    assert len(world.events("endless.test")) == 2 * 39 + 1
    assert world.visit("endless.test/feed.xml").skipped == {"pages_per_source": 21}


def test_a_domain_that_wants_a_long_rest_is_left_alone(world: World) -> None:
    visits = [e for e in world.events("later.test") if isinstance(e, Visited)]
    assert [v.reason for v in visits if v.role == "page"] == ["retry_after"] * 30
    # Only requests that were already under way when the first answer came are allowed.
    assert sum(world.asked(f"http://later.test/{n}") for n in range(30)) <= 8


def test_a_retry_after_pauses_the_whole_domain(world: World) -> None:
    assert world.early <= 7  # only requests that were already under way
    assert all(world.visit(f"patient.test/{n}").outcome == "fetched" for n in range(20))
