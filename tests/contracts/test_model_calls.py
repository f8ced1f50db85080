"""Every promise of `CallStore`, on every backend."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.document_stores import make as make_document
from contracts.model_calls import NOON, SECOND, make
from moodswarm.records.calls import CALL_STATES, CallRecord
from moodswarm.stores.documents.calls import MAX_CHARACTERS
from moodswarm.stores.documents.database import DocumentDatabase


def everything(
    store: DocumentDatabase, since: datetime | None = None, page_rows: int = 1000
) -> list[CallRecord]:
    return [call for page in store.calls.scan(since, page_rows) for call in page]


# --- recording ---


def test_every_field_comes_back(store: DocumentDatabase) -> None:
    full = make(
        1,
        task="answer",
        template="answer@3f2a91c0",
        state="cut_off",
        prompt_tokens=1200,
        completion_tokens=0,
        cost=0.001234,
        currency="EUR",
        attempts=3,
        milliseconds=812.25,
        error="the answer ends at the token limit",
        request_hash="a" * 64,
        prompt="Qué?\r\n\0 🚀",
        answer="",
    )
    store.calls.record([full, make(2)])
    assert everything(store) == [full, make(2)]


@pytest.mark.parametrize("state", CALL_STATES)
def test_every_state_is_kept(store: DocumentDatabase, state: str) -> None:
    store.calls.record([make(1, state=state)])
    assert everything(store) == [make(1, state=state)]


def test_a_call_of_a_known_id_is_replaced(store: DocumentDatabase) -> None:
    store.calls.record([make(1, state="failed", error="timeout", prompt="?")])
    moved = make(1, at=NOON + 60 * SECOND, cost=0.5)
    store.calls.record([moved])
    assert everything(store) == [moved]


def test_the_last_of_one_id_in_a_batch_counts(store: DocumentDatabase) -> None:
    store.calls.record([make(1, attempts=1), make(2), make(1, attempts=2)])
    assert everything(store) == [make(1, attempts=2), make(2)]


def test_recording_twice_changes_nothing(store: DocumentDatabase) -> None:
    batch = [make(number) for number in range(100)]
    store.calls.record(batch)
    store.calls.record(batch)
    assert everything(store) == batch


def test_times_are_kept_in_utc_to_the_millisecond(store: DocumentDatabase) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    store.calls.record([make(1, at=datetime(2031, 1, 2, 3, 4, 5, 678_999, tzinfo=zone))])
    (call,) = everything(store)
    assert call.at == datetime(2031, 1, 1, 21, 34, 5, 678_000, tzinfo=UTC)
    assert call.at.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_utc(store: DocumentDatabase) -> None:
    store.calls.record([make(0, at=NOON.replace(tzinfo=None))])
    assert everything(store) == [make(0)]
    assert everything(store, NOON.replace(tzinfo=None)) == [make(0)]


# --- a call with an odd value is not lost, nor is its batch ---


@pytest.mark.parametrize("field", ["prompt", "answer", "error", "task", "template", "model"])
def test_broken_text_is_replaced_and_the_call_kept(store: DocumentDatabase, field: str) -> None:
    store.calls.record([make(1, **{field: "half a \ud83d pair 🚀"}), make(2)])
    assert everything(store) == [make(1, **{field: "half a \ufffd pair 🚀"}), make(2)]


@pytest.mark.parametrize("letter", ["a", "🚀"])
def test_a_text_that_no_store_can_hold_is_cut_and_says_so(
    store: DocumentDatabase, letter: str
) -> None:
    text = letter * (5 * MAX_CHARACTERS)
    store.calls.record([make(1, prompt=text, answer=text, error=text)])
    (call,) = everything(store)
    for kept in (call.prompt, call.answer, call.error):
        assert kept is not None
        assert len(kept) == MAX_CHARACTERS
        assert kept.endswith(f"{letter}... [cut: 5,000,000 characters in all]")


@pytest.mark.parametrize("number", [-1, 2**63])
def test_an_impossible_count_becomes_unknown(store: DocumentDatabase, number: int) -> None:
    store.calls.record([make(1, prompt_tokens=number, completion_tokens=number)])
    assert everything(store) == [make(1)]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_cost_or_time_that_is_not_a_number_becomes_unknown(
    store: DocumentDatabase, number: float
) -> None:
    store.calls.record([make(1, cost=number, milliseconds=number)])
    assert everything(store) == [make(1, cost=None, milliseconds=0.0)]


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


# All examples can share one store, because the call always has the same id.
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    at=st.datetimes(timezones=st.just(UTC)),
    task=text,
    state=st.sampled_from(CALL_STATES),
    prompt_tokens=st.none() | st.integers(0, 2**63 - 1),
    cost=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    prompt=st.none() | text,
    error=st.none() | text,
)
def test_any_call_round_trips(store: DocumentDatabase, **values: Any) -> None:
    call = make(1, **values)
    store.calls.record([call])
    milliseconds = call.at.microsecond // 1000 * 1000
    assert everything(store) == [replace(call, at=call.at.replace(microsecond=milliseconds))]


def test_threads_record_while_others_use_the_store(store: DocumentDatabase) -> None:
    batches = [[make(10 * batch + number) for number in range(10)] for batch in range(8)]
    documents = [make_document(number) for number in range(20)]
    threads = [threading.Thread(target=store.calls.record, args=(batch,)) for batch in batches]
    threads.append(threading.Thread(target=store.upsert_documents, args=(documents,)))
    for thread in threads:
        thread.start()
    seen = everything(store)
    for thread in threads:
        thread.join()
    everyone = [call for batch in batches for call in batch]
    assert everything(store) == everyone
    assert set(seen) <= set(everyone)
    assert store.status().counts["article"] == 20


# --- reading ---


def test_a_scan_follows_the_time_and_then_the_id(store: DocumentDatabase) -> None:
    calls = [
        make(number, id=f"{9 - number}", at=NOON + number // 4 * SECOND) for number in range(9)
    ]
    store.calls.record(calls)
    assert everything(store, page_rows=3) == sorted(calls, key=lambda call: (call.at, call.id))


def test_a_page_has_as_many_calls_as_asked_for(store: DocumentDatabase) -> None:
    store.calls.record([make(number, at=NOON) for number in range(30)])
    assert [len(page) for page in store.calls.scan(page_rows=7)] == [7, 7, 7, 7, 2]


def test_a_scan_since_a_time_begins_with_that_time(store: DocumentDatabase) -> None:
    calls = [make(number) for number in range(10)]
    store.calls.record(calls)
    assert everything(store, NOON + 4 * SECOND, page_rows=2) == calls[4:]
    assert everything(store, NOON + 4 * SECOND + timedelta(milliseconds=1)) == calls[5:]
    assert everything(store, NOON + 60 * SECOND) == []


def test_since_is_understood_in_its_zone(store: DocumentDatabase) -> None:
    store.calls.record([make(number) for number in range(3)])
    zone = timezone(timedelta(hours=-8))
    assert everything(store, (NOON + SECOND).astimezone(zone)) == [make(1), make(2)]


def test_calls_from_before_1970_come_first(store: DocumentDatabase) -> None:
    long_ago = make(2, at=datetime(1969, 7, 20, 20, 17, 40, 123000, tzinfo=UTC))
    store.calls.record([make(1), long_ago])
    assert everything(store) == [long_ago, make(1)]


def test_a_scan_goes_on_while_others_record(store: DocumentDatabase) -> None:
    store.calls.record([make(number) for number in range(20)])
    scan = store.calls.scan(page_rows=5)
    seen = list(next(scan))
    store.calls.record([make(number) for number in range(20, 25)])
    seen += [call for page in scan for call in page]
    assert seen == [make(number) for number in range(25)]


def test_a_page_of_no_calls_is_refused(store: DocumentDatabase) -> None:
    with pytest.raises(ValueError, match="page_rows is 0; expected at least 1"):
        next(store.calls.scan(page_rows=0))


def test_recording_no_calls_does_nothing(store: DocumentDatabase) -> None:
    store.calls.record([])
    assert everything(store) == []


def test_calls_do_not_mix_with_documents_and_ledger(store: DocumentDatabase) -> None:
    store.calls.record([make(1)])
    assert store.get_documents([make(1).id]) == []
    assert list(store.ledger.scan()) == []
    assert set(store.status().counts.values()) == {0}
