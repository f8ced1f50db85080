"""Every promise of `LedgerStore`, on every backend."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moodswarm.records.ledger import ROLES, STATES, LedgerEntry, ledger_id
from moodswarm.stores.documents.database import DocumentDatabase

ROUND = datetime(2031, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
LONG_AGO = datetime(1969, 7, 20, 20, 17, 40, 123000, tzinfo=UTC)


def make(number: int = 0, **values: Any) -> LedgerEntry:
    """Build an entry; the same number always gets the same link."""
    url = f"https://example.org/{number}"
    defaults = {"source_id": "s", "url": url, "role": "page", "state": "done", "round": ROUND}
    return LedgerEntry(id=ledger_id(url), **{**defaults, **values})


def everything(
    store: DocumentDatabase, source_ids: Sequence[str] | None = None, page_rows: int = 1000
) -> list[LedgerEntry]:
    return [entry for page in store.ledger.scan(source_ids, page_rows) for entry in page]


def by_id(*entries: LedgerEntry) -> list[LedgerEntry]:
    return sorted(entries, key=lambda entry: entry.id)


# --- recording ---


def test_every_field_comes_back(store: DocumentDatabase) -> None:
    full = make(
        1,
        role="repository",
        state="failed",
        depth=2,
        attempts=3,
        misses=1,
        found_on="https://example.org/",
        reason="http_500: Internal Server Error",
        document_id="d",
        etag='"e"',
        last_modified="Sun, 06 Nov 1994 08:49:37 GMT",
        revision="r1",
        visited_at=LONG_AGO,
    )
    store.ledger.record([full, make(2)])
    assert everything(store) == by_id(full, make(2))


def test_a_link_that_is_found_is_queued(store: DocumentDatabase) -> None:
    store.ledger.record([make(1, state="queued")])
    assert everything(store) == [make(1, state="queued")]


@pytest.mark.parametrize("state", [state for state in STATES if state != "queued"])
def test_a_link_that_is_found_again_forgets_nothing(store: DocumentDatabase, state: str) -> None:
    known = make(1, state=state, etag='"e"', depth=3, visited_at=LONG_AGO)
    store.ledger.record([known])
    store.ledger.record([make(1, state="queued", source_id="t", depth=0)])
    assert everything(store) == [known]


def test_the_first_finding_of_a_link_stays(store: DocumentDatabase) -> None:
    store.ledger.record([make(1, state="queued", depth=1), make(1, state="queued", depth=2)])
    store.ledger.record([make(1, state="queued", depth=3)])
    assert [entry.depth for entry in everything(store)] == [1]


def test_whatever_became_of_a_link_replaces_what_was_known(store: DocumentDatabase) -> None:
    store.ledger.record([make(1, state="queued", found_on="https://example.org/")])
    store.ledger.record([make(1, state="failed", reason="timeout", attempts=1)])
    store.ledger.record([make(1, etag='"e"')])
    assert everything(store) == [make(1, etag='"e"')]


@pytest.mark.parametrize(
    ("states", "last"),
    [
        (["queued", "done"], "done"),
        (["done", "queued"], "done"),
        (["queued", "failed", "queued", "gone", "queued"], "gone"),
    ],
)
def test_entries_of_one_batch_count_one_after_the_other(
    store: DocumentDatabase, states: list[str], last: str
) -> None:
    store.ledger.record([make(1, state=state) for state in states])
    assert [entry.state for entry in everything(store)] == [last]


def test_recording_twice_changes_nothing(store: DocumentDatabase) -> None:
    batch = [make(1), make(2, state="queued"), make(3, state="failed", reason="timeout")]
    store.ledger.record(batch)
    store.ledger.record(batch)
    assert everything(store) == by_id(*batch)


def test_times_are_kept_in_utc_to_the_millisecond(store: DocumentDatabase) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    local = datetime(2031, 1, 2, 3, 4, 5, 678_999, tzinfo=zone)
    store.ledger.record([make(1, round=local, visited_at=local)])
    (entry,) = everything(store)
    expected = datetime(2031, 1, 1, 21, 34, 5, 678_000, tzinfo=UTC)
    assert entry.round == entry.visited_at == expected
    assert entry.round.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_utc(store: DocumentDatabase) -> None:
    naive = ROUND.replace(tzinfo=None)
    store.ledger.record([make(1, round=naive, visited_at=naive)])
    assert everything(store) == [make(1, visited_at=ROUND)]


@pytest.mark.parametrize("field", ["url", "reason", "found_on", "etag", "last_modified"])
def test_broken_text_is_named_and_nothing_of_the_batch_kept(
    store: DocumentDatabase, field: str
) -> None:
    broken = replace(make(1), **{field: "half a \ud83d pair"})
    with pytest.raises(ValueError, match="ledger entry of .* broken Unicode at character 7"):
        store.ledger.record([make(0), broken])
    assert everything(store) == []


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


# All examples can share one store, because the link is always the same.
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    url=text,
    reason=st.none() | text,
    role=st.sampled_from(ROLES),
    state=st.sampled_from([state for state in STATES if state != "queued"]),
    depth=st.integers(0, 2**31 - 1),
    visited_at=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_any_entry_round_trips(store: DocumentDatabase, **values: Any) -> None:
    entry = make(1, **values)
    store.ledger.record([entry])
    (found,) = everything(store)
    visited = entry.visited_at
    if visited:
        visited = visited.replace(microsecond=visited.microsecond // 1000 * 1000)
    assert found == replace(entry, visited_at=visited)


def test_finders_at_the_same_time_forget_nothing(store: DocumentDatabase) -> None:
    queued = [make(number, state="queued") for number in range(30)]
    done = [make(number) for number in range(30)]
    batches = [queued, done, queued, queued]
    threads = [threading.Thread(target=store.ledger.record, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert everything(store) == by_id(*done)


# --- reading ---


def test_a_scan_yields_every_entry_once_ordered_by_id(store: DocumentDatabase) -> None:
    entries = [make(number) for number in range(30)]
    store.ledger.record(entries)
    assert [len(page) for page in store.ledger.scan(page_rows=7)] == [7, 7, 7, 7, 2]
    assert everything(store, page_rows=7) == by_id(*entries)


def test_a_scan_of_sources_leaves_out_the_others(store: DocumentDatabase) -> None:
    entries = [make(number, source_id="abc"[number % 3]) for number in range(30)]
    store.ledger.record(entries)
    wanted = by_id(*(entry for entry in entries if entry.source_id != "b"))
    assert everything(store, ["c", "a"], page_rows=6) == wanted
    assert [len(page) for page in store.ledger.scan(["c", "a"], 6)] == [6, 6, 6, 2]


@pytest.mark.parametrize("source_ids", [[], ["nobody's"]])
def test_a_scan_of_no_source_is_empty(store: DocumentDatabase, source_ids: list[str]) -> None:
    store.ledger.record([make(1)])
    assert everything(store, source_ids) == []


def test_an_entry_belongs_to_the_source_that_led_to_it_last(store: DocumentDatabase) -> None:
    store.ledger.record([make(1, source_id="a")])
    store.ledger.record([make(1, source_id="b")])
    assert everything(store, ["a"]) == []
    assert everything(store, ["b"]) == [make(1, source_id="b")]


def test_a_scan_goes_on_while_others_record(store: DocumentDatabase) -> None:
    store.ledger.record([make(number) for number in range(20)])
    scan = store.ledger.scan(page_rows=5)
    seen = {entry.id for entry in next(scan)}
    store.ledger.record([make(number, state="failed") for number in range(40)])
    for page in scan:
        seen |= {entry.id for entry in page}
    assert seen >= {make(number).id for number in range(20)}


def test_a_page_of_no_entries_is_refused(store: DocumentDatabase) -> None:
    with pytest.raises(ValueError, match="page_rows is 0; expected at least 1"):
        next(store.ledger.scan(page_rows=0))


def test_get_returns_existing_entries_once_ordered_by_id(store: DocumentDatabase) -> None:
    entries = [make(number) for number in range(1100)]
    store.ledger.record(entries)
    ids = [entry.id for entry in entries]
    assert store.ledger.get([*ids, "nowhere", *reversed(ids)]) == by_id(*entries)


def test_an_empty_ledger_is_read_as_empty(store: DocumentDatabase) -> None:
    store.ledger.record([])
    assert everything(store) == store.ledger.get([]) == store.ledger.get([make(1).id]) == []


def test_the_ledger_and_the_documents_do_not_mix(store: DocumentDatabase) -> None:
    store.ledger.record([make(1)])
    assert store.get_documents([make(1).id]) == []
    assert set(store.status().counts.values()) == {0}
