"""The links that a run asks for, depending on what earlier runs left undone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from moodswarm.crawl.spec import KnownLink, Source
from moodswarm.pipelines.crawl.planning import Round, known_links, own_links, plan_rounds
from moodswarm.records.ledger import LedgerEntry, ledger_id

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
SOURCE = Source(
    id="s", author_full_name="Mira Solano", link="https://mira.example/feed.xml",
    platform="web", discover=True,
)  # fmt: skip


def entry(number: int = 1, **values: Any) -> LedgerEntry:
    url = f"https://mira.example/{number}"
    defaults = {
        "id": ledger_id(url), "source_id": "s", "url": url, "role": "page", "state": "done",
        "round": EARLIER, "revision": "1", "etag": '"a"', "document_id": ledger_id(url),
    }  # fmt: skip
    return LedgerEntry(**{**defaults, **values})


def plan(*entries: LedgerEntry, now: datetime = NOW) -> Round:
    return plan_rounds([SOURCE], entries, now, round_hours=24, max_attempts=3)["s"]


def known(one: LedgerEntry, round_: Round, revision: str = "1") -> KnownLink:
    (link,) = known_links([], [one], {"s": round_}, revision=revision, max_attempts=3)
    return link


def test_a_first_run_begins_a_round() -> None:
    assert plan() == Round(NOW, False)


def test_a_round_without_anything_left_is_followed_by_a_new_one() -> None:
    assert plan(entry(1), entry(2, state="skipped")) == Round(NOW, False)


def test_a_queued_link_continues_the_round() -> None:
    assert plan(entry(1), entry(2, state="queued")) == Round(EARLIER, True)


def test_a_failed_link_continues_the_round_until_it_has_no_attempts_left() -> None:
    failed = entry(2, state="failed", attempts=2)
    assert plan(entry(1), failed).continued
    assert not plan(entry(1), replace(failed, attempts=3)).continued


def test_links_of_an_older_round_continue_the_newest() -> None:
    older = entry(2, round=EARLIER - timedelta(hours=2))
    assert plan(entry(1), older) == Round(EARLIER, True)


def test_a_round_of_yesterday_is_given_up() -> None:
    left = entry(1, state="queued")
    assert plan(left, now=EARLIER + timedelta(hours=25)).continued is False


def test_files_and_deleted_pages_keep_no_round_open() -> None:
    old = EARLIER - timedelta(days=3)
    file = entry(2, role="file", round=old)
    gone = entry(3, state="gone", misses=2, round=old)
    assert plan(entry(1), file, gone) == Round(NOW, False)


def test_what_is_done_in_this_round_is_not_asked_again() -> None:
    assert known(entry(), Round(EARLIER, True)).ask is False
    assert known(entry(), Round(NOW, False)).ask is True


def test_what_failed_is_asked_again_within_the_round() -> None:
    failed = entry(state="failed", attempts=1)
    assert known(failed, Round(EARLIER, True)).ask is True
    assert known(replace(failed, attempts=3), Round(EARLIER, True)).ask is False


def test_a_known_page_is_asked_conditionally() -> None:
    assert known(entry(), Round(NOW, False)).etag == '"a"'


def test_a_page_of_another_extraction_or_a_failed_one_is_asked_in_full() -> None:
    assert known(entry(), Round(NOW, False), revision="2").etag is None
    assert known(entry(state="failed"), Round(NOW, False)).etag is None


def test_a_deleted_page_is_not_asked_for() -> None:
    gone = entry(state="gone", misses=2)
    assert not list(known_links([], [gone], {"s": Round(NOW, False)}, revision="1", max_attempts=3))


def test_a_new_source_is_queued_and_asked() -> None:
    ((link, queued),) = own_links(
        [SOURCE], {}, {"s": Round(NOW, False)}, revision="1", max_attempts=3
    )
    assert (link.ask, link.role, link.depth) == (True, "listing", 0)
    assert (queued.state, queued.url) == ("queued", SOURCE.link)


def test_a_source_that_was_listed_in_this_round_is_not_asked_again() -> None:
    id_ = ledger_id(SOURCE.link)
    listed = entry(id=id_, url=SOURCE.link, role="listing")
    ((link, _),) = own_links(
        [SOURCE], {id_: listed}, {"s": Round(EARLIER, True)}, revision="1", max_attempts=3
    )
    assert link.ask is False


def test_a_source_that_is_taken_for_something_else_now_is_asked_in_full() -> None:
    id_ = ledger_id(SOURCE.link)
    page = entry(id=id_, url=SOURCE.link, role="page")
    ((link, kept),) = own_links(
        [SOURCE], {id_: page}, {"s": Round(EARLIER, True)}, revision="1", max_attempts=3
    )
    assert (link.ask, link.role, link.etag) == (True, "listing", None)
    assert kept.document_id == page.document_id


def test_a_clock_that_was_set_back_leaves_no_link_waiting() -> None:
    ahead = entry(round=NOW + timedelta(days=400))
    assert known(ahead, plan(ahead)).ask


def test_listings_are_read_in_full() -> None:
    listing = entry(role="listing")
    assert known(listing, plan(listing)).etag is None


def test_a_repository_is_read_again_when_other_files_are_wanted() -> None:
    repository = entry(role="repository", revision="few")

    def asked(wanted: str) -> KnownLink:
        (link,) = known_links(
            [], [repository], {"s": plan(repository)}, revision="1", repositories=wanted,
            max_attempts=3,
        )  # fmt: skip
        return link

    assert asked("few").etag == '"a"'
    assert asked("many").etag is None


def test_what_another_author_was_read_for_is_read_again() -> None:
    page = SOURCE.model_copy(update={"discover": False})
    own = entry(id=ledger_id(page.link), url=page.link, source_id="another")
    ((link, now_own),) = own_links(
        [page], {own.id: own}, {"s": Round(NOW, False)}, revision="1", max_attempts=3
    )
    assert (link.ask, link.etag, now_own.source_id) == (True, None, "s")
