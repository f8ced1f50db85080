"""Pages of events, and the visits that the report counts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pyarrow as pa

from moodswarm.crawl.events import Event, Visited
from moodswarm.records import Document
from moodswarm.records.document import documents_to_table
from moodswarm.records.ledger import LedgerEntry, ledger_to_table

#: Limit on the age of a page of events. A polite crawl requests something every half second, and a
#: run that is killed must not lose minutes of work.
PAGE_SECONDS = 5.0

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("source_id", pa.string(), nullable=False),
    pa.field("link", pa.string(), nullable=False),
    pa.field("role", pa.string(), nullable=False),
    pa.field("outcome", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("detail", pa.string()),
    pa.field("found_on", pa.string()),
    pa.field("title", pa.string()),
    pa.field("skipped_files", pa.map_(pa.string(), pa.int64()), nullable=False),
    pa.field("left_out", pa.map_(pa.string(), pa.list_(pa.string()))),
    pa.field("unchanged_files", pa.int64(), nullable=False),
    pa.field("continued", pa.bool_(), nullable=False),
]
#: One row per link asked for. Outcomes: `new`, `changed` and `unchanged` documents; `skipped` and
#: `failed`, with a reason; `missing` (not there for the first time) and `gone` (missing again, now
#: deleted); `listed` for listings and repositories, which are not documents themselves.
VISIT_SCHEMA = pa.schema(_FIELDS)


@dataclass(slots=True)
class Page:
    """The rows that one page of events saves, in this order: documents, ledger, visits."""

    documents: dict[str, Document] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    visits: list[dict[str, Any]] = field(default_factory=list)

    def tables(self) -> tuple[pa.Table, pa.Table, pa.Table]:
        """Return the page as batches of `DOCUMENT_SCHEMA`, `LEDGER_SCHEMA`, `VISIT_SCHEMA`."""
        return (
            documents_to_table(self.documents.values()),
            ledger_to_table(self.ledger),
            pa.Table.from_pylist(self.visits, schema=VISIT_SCHEMA),
        )


def pages_of(
    events: Iterable[Event | None],
    *,
    most: int,
    characters: int,
    seconds: float = PAGE_SECONDS,
) -> Iterator[list[Event]]:
    """Cut a stream of events into pages.

    A page ends when it is full or old, when no event came for a moment (`None`), and before the
    event that ends a repository, because the repository's files must have been saved by then.
    """
    page: list[Event] = []
    size = 0
    began = monotonic()
    for event in events:
        ends = event is None or (isinstance(event, Visited) and event.role == "repository")
        full = len(page) >= most or size >= characters or monotonic() - began >= seconds
        if page and (ends or full):
            yield page
            page, size = [], 0
        if event is not None:
            if not page:
                began = monotonic()
            page.append(event)
            size += _characters(event)
    if page:
        yield page


def _characters(event: Event) -> int:
    if isinstance(event, Visited) and event.document:
        return len(str(event.document.get("content", "")))
    return 0
