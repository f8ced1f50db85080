"""The crawl ledger in a store: its protocol, and what every backend decides alike."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from moodswarm.records.document import utc_milliseconds
from moodswarm.records.ledger import LedgerEntry


class LedgerStore(Protocol):
    """What became of every link that a crawl has met, one entry per link."""

    def record(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries in one transaction (MongoDB: one bulk write, atomic per entry).

        A `queued` entry is inserted only if there is none of its id: a link that is found again
        never forgets what is known of it. Any other replaces the stored one. Entries of one id
        count one after the other. Times are kept in UTC to the millisecond.

        Raises:
            ValueError: names an entry whose text no store can hold; nothing is written.
        """
        ...

    def scan(
        self, source_ids: Sequence[str] | None = None, page_rows: int = 1000
    ) -> Iterator[list[LedgerEntry]]:
        """Stream the entries of these sources (None: of all) ordered by id; a page is one read."""
        ...

    def get(self, ids: Sequence[str]) -> list[LedgerEntry]:
        """Return the entries that exist, ordered by id."""
        ...


def settle(entries: Sequence[LedgerEntry]) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
    """Let the entries of one id count one after the other, and bring times to UTC milliseconds.

    Returns:
        Entries to insert where there is none of their id, and entries to write whatever is there;
        no id is in both, and none twice.

    Raises:
        ValueError: names the link of an entry whose text no store can hold.
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
            f"{error.start} of {error.object!r:.80}; expected text that UTF-8 can hold"
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
        read: Gives up to `page_rows` entries whose ids follow the given one, ordered by id.
        page_rows: At least 1, or the scan would end before its first entry.

    Raises:
        ValueError: names the number.
    """
    if page_rows < 1:
        raise ValueError(f"page_rows is {page_rows}; expected at least 1")
    last = ""
    while page := read(last):
        yield page
        last = page[-1].id
