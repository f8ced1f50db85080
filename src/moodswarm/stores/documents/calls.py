"""Calls of language models in a store: the protocol, and what every backend decides alike.

A call has been paid for when it is recorded, so nothing odd in one may cost it or its batch.
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
#: Characters of a text that are kept. Three of them at 4 bytes each stay under MongoDB's 16 MiB.
MAX_CHARACTERS = 1_000_000

_LONG = ("prompt", "answer", "error")
_TEXTS = field_names(CallRecord, str)
_COUNTS = ("prompt_tokens", "completion_tokens")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_INTEGER = 2**63 - 1
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

#: Time and id of a call: scans follow this order.
Place = tuple[datetime, str]


class CallStore(Protocol):
    """Every call of a language model that was made for one author's corpus."""

    def record(self, calls: Sequence[CallRecord]) -> None:
        """Write calls in one transaction (MongoDB: one bulk write).

        A call of a known id replaces the stored one; of several of one id the last counts. Times
        are kept in UTC to the millisecond. A call has been paid for when it comes here, so nothing
        odd in it is refused, see `storable_calls`. Any thread may call this while others use the
        database.

        Raises:
            StoreError: such as `StoreLocked`; nothing is written, or repeating it is safe.
        """
        ...

    def scan(
        self, since: datetime | None = None, page_rows: int = 1000
    ) -> Iterator[list[CallRecord]]:
        """Stream the calls that began at `since` or later, ordered by time and id.

        A `since` without a zone is UTC, and is taken to the millisecond. A page is one read.
        """
        ...


def storable_calls(calls: Sequence[CallRecord]) -> list[CallRecord]:
    """Return the last call of each id, in what every store can hold.

    Times are cut to UTC milliseconds, broken Unicode becomes U+FFFD, texts are cut after
    `MAX_CHARACTERS`, and numbers that are none (NaN, infinity, counts under 0 or over 64 bits) are
    not known.
    """
    return [_storable(call) for call in {call.id: call for call in calls}.values()]


def scan_call_pages(
    read: Callable[[Place], list[CallRecord]], since: datetime | None, page_rows: int
) -> Iterator[list[CallRecord]]:
    """Stream pages until one is empty.

    Args:
        read: Gives up to `page_rows` calls that follow the given place, in order.
        since: Time to begin at, itself included.
        page_rows: At least 1, or the scan would end before its first call.

    Raises:
        ValueError: names the number.
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
    # Looking for surrogates takes as long as encoding; most texts are ASCII and known to be.
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def _count(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= _MAX_INTEGER else None
