"""The changes that the crawler's events make in the store: documents, ledger and visits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from moodswarm.crawl.events import Event, LinkFound, Visited
from moodswarm.pipelines.crawl.planning import Round
from moodswarm.pipelines.crawl.recording import Recorder
from moodswarm.pipelines.crawl.visits import pages_of
from moodswarm.records import Document
from moodswarm.records.document import table_to_documents
from moodswarm.records.ids import document_id
from moodswarm.records.ledger import LedgerEntry, ledger_id, table_to_ledger
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore

BEGAN = datetime(2026, 5, 1, 12, tzinfo=UTC)
SITE = "https://mira.example"
REPOSITORY = "https://github.com/mira/tides"


@dataclass
class Crawl:
    """A store, and the changes that events make to it."""

    store: SqliteDocumentStore
    round: datetime = BEGAN

    def see(self, *events: Event) -> list[dict[str, Any]]:
        """Record a page of events, save it as the pipeline does, and return its visits."""
        page = Recorder(self.store, self.store.ledger, {"s": Round(self.round, False)}).record(
            events
        )
        documents, ledger, visits = page.tables()
        self.store.upsert_documents(list(table_to_documents(documents)))
        self.store.ledger.record(list(table_to_ledger(ledger)))
        return visits.to_pylist()

    def outcome(self, *events: Event) -> tuple[str, str | None]:
        """Record events and return the outcome and reason of the last visit."""
        visit = self.see(*events)[-1]
        return visit["outcome"], visit["reason"]

    def next_round(self) -> None:
        self.round += timedelta(hours=1)

    def document(self, url: str) -> Document:
        (found,) = self.store.get_documents([document_id(url)])
        return found

    def entry(self, url: str) -> LedgerEntry:
        (found,) = self.store.ledger.get([ledger_id(url)])
        return found


@pytest.fixture
def crawl(tmp_path: Path) -> Iterator[Crawl]:
    store = SqliteDocumentStore(tmp_path / "documents.db")
    yield Crawl(store)
    store.close()


def visited(url: str = f"{SITE}/tea", outcome: str = "fetched", **values: Any) -> Visited:
    defaults = {
        "source_id": "s", "url": url, "role": "page", "depth": 1, "outcome": outcome,
        "visited_at": BEGAN, "revision": "1",
    }  # fmt: skip
    return Visited.model_validate({**defaults, **values})


def fetched(url: str = f"{SITE}/tea", text: str = "Green tea.", **values: Any) -> Visited:
    document = {
        "kind": "article", "platform": "web", "link": values.pop("link", url),
        "author_full_name": "Mira Solano", "content": text, "fetched_at": BEGAN.isoformat(),
    }  # fmt: skip
    return visited(url, document={**document, **values.pop("fields", {})}, **values)


def file(path: str, text: str = "x = 1\n") -> Visited:
    link = f"{REPOSITORY}/blob/HEAD/{path}"
    fields = {"kind": "repository", "path": path, "commit": "a" * 40}
    return fetched(link, text, role="file", found_on=REPOSITORY, fields=fields)


def listed_repository(**values: Any) -> Visited:
    return visited(REPOSITORY, "listed", role="repository", etag="a" * 40, **values)


def test_a_new_page_is_stored_and_done(crawl: Crawl) -> None:
    assert crawl.outcome(fetched(etag='"v1"')) == ("new", None)
    assert crawl.document(f"{SITE}/tea").content == "Green tea."
    entry = crawl.entry(f"{SITE}/tea")
    assert (entry.state, entry.etag, entry.document_id) == ("done", '"v1"', entry.id)


def test_the_same_page_again_is_unchanged_and_another_text_changed(crawl: Crawl) -> None:
    crawl.see(fetched())
    assert crawl.outcome(fetched()) == ("unchanged", None)
    assert crawl.outcome(fetched(text="Black tea.")) == ("changed", None)


def test_a_page_not_modified_is_unchanged_and_keeps_what_it_was_compared_with(crawl: Crawl) -> None:
    crawl.see(fetched(etag='"v1"', last_modified="Mon"))
    assert crawl.outcome(visited(outcome="not_modified", revision=None)) == ("unchanged", None)
    entry = crawl.entry(f"{SITE}/tea")
    assert (entry.etag, entry.last_modified, entry.revision) == ('"v1"', "Mon", "1")


def test_a_link_found_is_queued_and_forgets_nothing_that_is_known(crawl: Crawl) -> None:
    def find(url: str) -> LinkFound:
        return LinkFound(source_id="s", url=url, role="page", depth=1, found_on=SITE)

    crawl.see(fetched(), find(f"{SITE}/tea"), find(f"{SITE}/boats"))
    assert crawl.entry(f"{SITE}/tea").state == "done"
    assert crawl.entry(f"{SITE}/boats").state == "queued"


def test_a_failure_keeps_its_reason_and_counts_attempts_of_its_round(crawl: Crawl) -> None:
    failure = visited(outcome="failed", reason="http_500", detail="Server Error")
    assert crawl.outcome(failure) == ("failed", "http_500")
    crawl.see(failure)
    assert crawl.entry(f"{SITE}/tea").attempts == 2
    assert crawl.entry(f"{SITE}/tea").reason == "http_500: Server Error"
    crawl.next_round()
    crawl.see(failure)
    assert crawl.entry(f"{SITE}/tea").attempts == 1


def test_a_page_that_fails_later_keeps_its_document(crawl: Crawl) -> None:
    crawl.see(fetched())
    crawl.next_round()
    crawl.see(visited(outcome="failed", reason="timeout"))
    assert crawl.document(f"{SITE}/tea").deleted_at is None
    assert crawl.entry(f"{SITE}/tea").document_id == document_id(f"{SITE}/tea")


def test_a_page_is_deleted_after_the_second_miss_and_not_the_first(crawl: Crawl) -> None:
    crawl.see(fetched())
    crawl.next_round()
    assert crawl.outcome(visited(outcome="gone", reason="http_404")) == ("missing", "http_404")
    assert crawl.document(f"{SITE}/tea").deleted_at is None
    crawl.next_round()
    assert crawl.outcome(visited(outcome="gone", reason="http_404")) == ("gone", "http_404")
    assert crawl.document(f"{SITE}/tea").deleted_at == BEGAN


def test_a_page_that_comes_back_between_two_misses_counts_afresh(crawl: Crawl) -> None:
    crawl.see(fetched())
    for event in (visited(outcome="gone"), fetched(), visited(outcome="gone")):
        crawl.next_round()
        crawl.see(event)
    assert crawl.document(f"{SITE}/tea").deleted_at is None


def test_a_deleted_page_that_is_back_is_stored_again(crawl: Crawl) -> None:
    crawl.see(fetched())
    for _ in range(2):
        crawl.next_round()
        crawl.see(visited(outcome="gone"))
    assert crawl.outcome(fetched()) == ("changed", None)
    assert crawl.document(f"{SITE}/tea").deleted_at is None


def test_a_page_that_was_never_there_is_a_failure_that_keeps_no_round_open(crawl: Crawl) -> None:
    assert crawl.outcome(visited(outcome="gone", reason="http_404")) == ("failed", "http_404")
    assert crawl.entry(f"{SITE}/tea").state == "gone"


def test_a_document_deleted_by_hand_stays_deleted(crawl: Crawl) -> None:
    crawl.see(fetched())
    crawl.store.tombstone_documents([document_id(f"{SITE}/tea")], BEGAN)
    assert crawl.outcome(fetched()) == ("skipped", "deleted_by_hand")
    assert crawl.document(f"{SITE}/tea").deleted_at == BEGAN


def test_two_addresses_of_one_page_give_one_document_that_does_not_change(crawl: Crawl) -> None:
    amp = f"{SITE}/amp/tea"
    crawl.see(fetched())
    other = fetched(amp, "Green tea, shorter.", link=f"{SITE}/tea")
    assert crawl.outcome(other) == ("skipped", "duplicate")
    assert crawl.document(f"{SITE}/tea").content == "Green tea."


def test_a_canonical_address_that_was_not_found_is_remembered(crawl: Crawl) -> None:
    first = fetched(f"{SITE}/?p=1", link=f"{SITE}/tea")
    second = fetched(f"{SITE}/?p=2", "Green tea, again.", link=f"{SITE}/tea")
    assert [visit["outcome"] for visit in crawl.see(first, second)] == ["new", "skipped"]
    entry = crawl.entry(f"{SITE}/tea")
    assert (entry.url, entry.state) == (f"{SITE}/tea", "done")


def test_an_address_that_is_gone_leaves_the_document_at_its_canonical_one(crawl: Crawl) -> None:
    crawl.see(fetched(f"{SITE}/?p=1", link=f"{SITE}/tea"))
    for _ in range(2):
        crawl.next_round()
        outcome = crawl.outcome(visited(f"{SITE}/?p=1", "gone"))
    assert outcome == ("skipped", "moved")
    assert crawl.document(f"{SITE}/tea").deleted_at is None


def test_a_document_that_cannot_be_is_a_failure_and_stops_nothing(crawl: Crawl) -> None:
    broken = fetched(f"{SITE}/broken", fields={"kind": "novel"})
    assert [v["outcome"] for v in crawl.see(broken, fetched())] == ["failed", "new"]
    assert (crawl.entry(f"{SITE}/broken").reason or "").startswith("invalid_document: kind")


def test_a_skipped_page_that_did_not_change_is_skipped_for_the_same_reason(crawl: Crawl) -> None:
    crawl.see(visited(outcome="skipped", reason="not_an_article", etag='"v"'))
    crawl.next_round()
    assert crawl.outcome(visited(outcome="not_modified")) == ("skipped", "not_an_article")


def test_files_that_a_repository_has_no_more_are_deleted_at_once(crawl: Crawl) -> None:
    crawl.see(file("a.py"), file("b.py"))
    crawl.see(listed_repository())
    crawl.next_round()
    crawl.see(file("a.py"))
    visits = crawl.see(listed_repository())
    assert [(v["outcome"], v["link"][-4:]) for v in visits if v["role"] == "file"] == [
        ("gone", "b.py")
    ]
    assert crawl.document(f"{REPOSITORY}/blob/HEAD/b.py").deleted_at == BEGAN
    assert crawl.document(f"{REPOSITORY}/blob/HEAD/a.py").deleted_at is None


def test_a_file_that_comes_back_is_stored_again(crawl: Crawl) -> None:
    crawl.see(file("a.py"))
    crawl.see(listed_repository())
    crawl.next_round()
    crawl.see(listed_repository())
    crawl.next_round()
    assert crawl.outcome(file("a.py")) == ("changed", None)


def test_a_repository_at_its_known_commit_loses_no_file(crawl: Crawl) -> None:
    crawl.see(file("a.py"))
    crawl.see(listed_repository())
    crawl.next_round()
    (visit,) = crawl.see(visited(REPOSITORY, "not_modified", role="repository"))
    assert visit["unchanged_files"] == 1
    assert crawl.document(f"{REPOSITORY}/blob/HEAD/a.py").deleted_at is None


def test_pages_end_when_full_when_nothing_comes_and_before_a_repository_ends() -> None:
    first, second, third = file("a.py"), file("b.py"), file("c.py")
    end = listed_repository()
    events = [first, second, third, end]
    assert list(pages_of(events, most=2, characters=99)) == [[first, second], [third], [end]]
    assert list(pages_of([first, None, second], most=9, characters=99)) == [[first], [second]]
    assert list(pages_of([first, second], most=9, characters=5)) == [[first], [second]]


def test_an_address_that_is_gone_deletes_nothing_while_the_canonical_one_just_fails(
    crawl: Crawl,
) -> None:
    alias = f"{SITE}/?p=1"
    crawl.see(fetched(alias, link=f"{SITE}/tea"))
    for _ in range(2):
        crawl.next_round()
        crawl.see(visited(outcome="failed", reason="http_500"), visited(alias, "gone"))
    assert crawl.document(f"{SITE}/tea").deleted_at is None
    crawl.next_round()
    assert crawl.outcome(fetched()) == ("unchanged", None)


def test_a_document_goes_when_all_of_its_addresses_are_gone(crawl: Crawl) -> None:
    alias = f"{SITE}/?p=1"
    crawl.see(fetched(alias, link=f"{SITE}/tea"))
    for _ in range(2):
        crawl.next_round()
        crawl.see(visited(outcome="gone"), visited(alias, "gone"))
    assert crawl.document(f"{SITE}/tea").deleted_at == BEGAN
    crawl.next_round()
    assert crawl.outcome(fetched(alias, link=f"{SITE}/tea")) == ("changed", None)


@pytest.mark.parametrize("first", ["alias", "canonical"])
def test_a_page_whose_canonical_address_never_was_there_keeps_its_document(
    crawl: Crawl, first: str
) -> None:
    page, claimed = fetched(f"{SITE}/tea.html", link=f"{SITE}/tea"), f"{SITE}/tea"
    crawl.see(page)
    asked = True
    for _ in range(4):
        crawl.next_round()
        miss = [visited(claimed, "gone", found_on=page.url)] if asked else []
        crawl.see(*([page, *miss] if first == "alias" else [*miss, page]))
        assert crawl.document(claimed).deleted_at is None
        entry = crawl.entry(claimed)
        asked = not (entry.state == "gone" and entry.misses >= 2)
    assert not asked
    crawl.store.tombstone_documents([document_id(claimed)], BEGAN)
    assert crawl.outcome(page) == ("skipped", "deleted_by_hand")


def test_a_page_not_modified_that_the_store_has_lost_is_asked_for_again(crawl: Crawl) -> None:
    assert crawl.outcome(visited(outcome="not_modified")) == ("failed", "not_stored")
    assert crawl.entry(f"{SITE}/tea").state == "failed"


def test_a_page_not_modified_says_whether_its_document_was_deleted_by_hand(crawl: Crawl) -> None:
    crawl.see(fetched())
    tea = crawl.document(f"{SITE}/tea")
    crawl.store.tombstone_documents([tea.id], BEGAN)
    for _ in range(2):
        assert crawl.outcome(visited(outcome="not_modified")) == ("skipped", "deleted_by_hand")
    crawl.store.upsert_documents([tea])
    assert crawl.outcome(visited(outcome="not_modified")) == ("unchanged", None)


def test_files_beyond_the_limit_of_a_run_are_not_lost(crawl: Crawl) -> None:
    crawl.see(file("a.py"), file("b.py"), listed_repository())
    crawl.next_round()
    crawl.see(file("a.py"), listed_repository(skipped={"too_many_files": 1}))
    assert crawl.document(f"{REPOSITORY}/blob/HEAD/b.py").deleted_at is None


def test_a_lost_file_is_deleted_even_if_the_clock_was_set_back(crawl: Crawl) -> None:
    crawl.see(file("a.py"), file("b.py"), listed_repository())
    crawl.round -= timedelta(days=400)
    crawl.see(file("a.py"), listed_repository())
    assert crawl.document(f"{REPOSITORY}/blob/HEAD/b.py").deleted_at == BEGAN


def test_a_page_is_gone_once_however_often_it_is_named_after(crawl: Crawl) -> None:
    crawl.see(fetched())
    outcomes = []
    for _ in range(4):
        crawl.next_round()
        outcomes.append(crawl.outcome(visited(outcome="gone", reason="http_404"))[0])
    assert outcomes == ["missing", "gone", "failed", "failed"]


def test_a_page_of_events_is_not_kept_until_it_is_full() -> None:
    pages = pages_of([visited(), visited()], most=100, characters=10_000, seconds=0)
    assert [len(page) for page in pages] == [1, 1]
