"""Calls to language models in a store: the protocol, and the decisions that every backend shares.

A call has already been paid for when it is recorded. An odd value in a call must therefore not
cause its record, or the rest of its batch, to be lost.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from moodswarm.records.calls import CallRecord
from moodswarm.records.document import utc_milliseconds
from moodswarm.records.fields import field_names

CALL_NAMES = field_names(CallRecord)
#: Columns that hold times; all others hold text or numbers.
CALL_TIMES = field_names(CallRecord, datetime)
#: Longest text that is kept, in characters. Three such texts, at up to 4 bytes a character, stay
#: below MongoDB's limit of 16 MiB for a document.
MAX_CHARACTERS = 1_000_000

_LONG = ("prompt", "answer", "error")
_TEXTS = field_names(CallRecord, str)
_COUNTS = ("prompt_tokens", "completion_tokens")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_INTEGER = 2**63 - 1
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

#: Time and id of a call; scans are ordered by them.
Place = tuple[datetime, str]


class CallStore(Protocol):
    """Calls to language models, with their tokens and cost."""

    def record(self, calls: Sequence[CallRecord]) -> None:
        """Write calls in one transaction (MongoDB: one bulk write).

        A call whose id is already stored replaces the stored call. If several calls have the same
        id, the last one counts.
        Times are stored in UTC, to the millisecond. No call is refused for an odd value: see
        `storable_calls` for what is stored instead. Any thread may call this while others use
        the database.

        Raises:
            StoreError: for example `StoreLocked`; it is safe to record the same calls again.
        """
        ...

    def scan(
        self, since: datetime | None = None, page_rows: int = 1000
    ) -> Iterator[list[CallRecord]]:
        """Stream the calls that began at `since` or later, ordered by time and id.

        If `since` has no zone, it is taken as UTC. It is cut to the millisecond. Each page is one
        read.
        """
        ...


def storable_calls(calls: Sequence[CallRecord]) -> list[CallRecord]:
    """Return the last call with each id, changed if a store could not hold it as it is.

    Times are cut to the millisecond in UTC, broken Unicode becomes U+FFFD, and texts are cut after
    `MAX_CHARACTERS`. Impossible numbers (NaN, infinity, counts below 0 or over 64 bits) become
    None, or 0 in `attempts` and `milliseconds`.
    """
    return [_storable(call) for call in {call.id: call for call in calls}.values()]


def scan_call_pages(
    read: Callable[[Place], list[CallRecord]], since: datetime | None, page_rows: int
) -> Iterator[list[CallRecord]]:
    """Stream pages until one is empty.

    Args:
        read: Returns up to `page_rows` calls that follow the given place, in order.
        since: Earliest time to include.
        page_rows: At least 1; with 0 the scan would end before its first call.

    Raises:
        ValueError: `page_rows` is below 1.
    """
    if page_rows < 1:
        raise ValueError(f"page_rows is {page_rows}; expected at least 1")
    last = (utc_milliseconds(since) if since else _BEGINNING, "")
    while page := read(last):
        yield page
        last = (page[-1].at, page[-1].id)


def _storable(call: CallRecord) -> CallRecord:
    values: dict[str, object] = {"at": utc_milliseconds(call.at)}
    values |= {name: _text(getattr(call, name), cut=name in _LONG) for name in _TEXTS}
    values |= {name: _count(getattr(call, name)) for name in _COUNTS}
    values["attempts"] = _count(call.attempts) or 0
    values["milliseconds"] = call.milliseconds if math.isfinite(call.milliseconds) else 0.0
    values["cost"] = call.cost if call.cost is not None and math.isfinite(call.cost) else None
    changed = {name: value for name, value in values.items() if value != getattr(call, name)}
    return replace(call, **changed) if changed else call  # type: ignore[arg-type]


def _text(text: str | None, *, cut: bool) -> str | None:
    if not text:
        return text
    if cut and len(text) > MAX_CHARACTERS:
        note = f"... [cut: {len(text):,} characters in all]"
        text = text[: MAX_CHARACTERS - len(note)] + note
    # Searching for surrogates is slow. Most texts are ASCII, which Python can tell at no cost.
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _count(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= _MAX_INTEGER else None
