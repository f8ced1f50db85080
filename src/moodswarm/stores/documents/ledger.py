"""The crawl ledger in a store: its protocol, and the decisions that every backend shares."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from moodswarm.records.document import utc_milliseconds
from moodswarm.records.ledger import LedgerEntry


class LedgerStore(Protocol):
    """Entries for all links that crawls have come across, one per link."""

    def record(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries in one transaction (MongoDB: one bulk write, atomic per entry).

        A `queued` entry is inserted only if no entry has its id yet, so finding a link again
        never erases what is known about it. An entry in any other state replaces the stored one.
        Several entries with one id are applied in order. Times are stored in UTC, to the
        millisecond.

        Raises:
            ValueError: an entry holds text that no store can keep; the message names its link,
                and nothing is written.
        """
        ...

    def scan(
        self, source_ids: Sequence[str] | None = None, page_rows: int = 1000
    ) -> Iterator[list[LedgerEntry]]:
        """Stream the entries of these sources (None: all), ordered by id; each page is one read."""
        ...

    def get(self, ids: Sequence[str]) -> list[LedgerEntry]:
        """Return the existing entries with these ids, ordered by id."""
        ...


def settle(entries: Sequence[LedgerEntry]) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
    """Reduce a batch to one entry per id, with times in UTC, to the millisecond.

    Returns:
        Two lists: entries to insert unless their id is stored already, and entries that replace
        whatever is stored. Each id occurs only once in the two lists together.

    Raises:
        ValueError: an entry holds text that no store can keep; the message names its link.
    """
    last: dict[str, LedgerEntry] = {}
    for entry in entries:
        if entry.state != "queued" or entry.id not in last:
            last[entry.id] = entry
    settled = [_storable(entry) for entry in last.values()]
    queued = [entry for entry in settled if entry.state == "queued"]
    return queued, [entry for entry in settled if entry.state != "queued"]


def _storable(entry: LedgerEntry) -> LedgerEntry:
    try:
        for text in (entry.url, entry.found_on, entry.reason, entry.etag, entry.last_modified):
            if text:
                text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the ledger entry of {entry.url!r:.200} holds broken Unicode at character "
            f"{error.start} of {error.object!r:.80}; expected text that UTF-8 can encode"
        ) from error
    began = utc_milliseconds(entry.round)
    visited = entry.visited_at and utc_milliseconds(entry.visited_at)
    if (began, visited) == (entry.round, entry.visited_at):
        return entry
    return replace(entry, round=began, visited_at=visited)


def scan_entry_pages(
    read: Callable[[str], list[LedgerEntry]], page_rows: int
) -> Iterator[list[LedgerEntry]]:
    """Stream pages until one is empty.

    Args:
        read: Returns up to `page_rows` entries whose ids follow the given id, ordered by id.
        page_rows: At least 1; with 0 the scan would end before its first entry.

    Raises:
        ValueError: `page_rows` is below 1.
    """
    if page_rows < 1:
        raise ValueError(f"page_rows is {page_rows}; expected at least 1")
    last = ""
    while page := read(last):
        yield page
        last = page[-1].id
