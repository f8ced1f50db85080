"""The crawl ledger: one entry per link that a crawl has met, and what became of it.

It lives in the document store beside the documents, so that both are lost, copied and restored
together. A crawl that was killed at any moment continues from it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa

from moodswarm.records.ids import document_id
from moodswarm.records.links import canonical_link

#: What a link leads to. A listing (feed, sitemap, archive, API page) gives links, a page gives one
#: document, a repository gives one per file.
ROLES = ("listing", "page", "repository", "file")

#: `queued` was found and not asked for yet; `gone` was stored once and is deleted now.
STATES = ("queued", "done", "failed", "skipped", "gone")

_TIME = pa.timestamp("ms", tz="UTC")

_FIELDS: "list[pa.Field[Any]]" = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("source_id", pa.string(), nullable=False),
    pa.field("url", pa.string(), nullable=False),
    pa.field("role", pa.string(), nullable=False),
    pa.field("state", pa.string(), nullable=False),
    pa.field("round", _TIME, nullable=False),
    pa.field("depth", pa.int32(), nullable=False),
    pa.field("attempts", pa.int32(), nullable=False),
    pa.field("misses", pa.int32(), nullable=False),
    pa.field("found_on", pa.string()),
    pa.field("reason", pa.string()),
    pa.field("document_id", pa.string()),
    pa.field("etag", pa.string()),
    pa.field("last_modified", pa.string()),
    pa.field("revision", pa.string()),
    pa.field("visited_at", _TIME),
]
LEDGER_SCHEMA = pa.schema(_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What is known of one link.

    Attributes:
        id: That of `canonical_link(url)`, see `document_id`: http and https, with and without
            tracking parameters are one entry.
        source_id: The configured source that led here last.
        url: What is asked for, as it was found.
        role: One of `ROLES`.
        state: One of `STATES`.
        round: When the round began in which the entry was last worked on. A round asks for every
            link of a source once; one that was interrupted is continued under the same time.
        depth: Links followed from the source to here; the source itself has 0.
        attempts: How often it failed in this round.
        misses: How often in a row it was not there any more (404, 410).
        found_on: Address of the listing or repository that named it.
        reason: Why it failed or was skipped: a code such as `http_500`, then maybe `: details`.
        document_id: The document that it gave; its canonical link may be another.
        etag: With `last_modified`, what the server gave for a conditional request; of a
            repository, the commit.
        revision: Version of the extraction that made the document.
        visited_at: When it was last asked for.
    """

    id: str
    source_id: str
    url: str
    role: str
    state: str
    round: datetime
    depth: int = 0
    attempts: int = 0
    misses: int = 0
    found_on: str | None = None
    reason: str | None = None
    document_id: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    revision: str | None = None
    visited_at: datetime | None = None


def ledger_id(url: str) -> str:
    """Return the id of a link's entry.

    Raises:
        ValueError: not an absolute http or https address.
    """
    return document_id(canonical_link(url))


_NAMES = tuple(field.name for field in fields(LedgerEntry))


def ledger_to_table(entries: Iterable[LedgerEntry]) -> pa.Table:
    """Turn entries into one batch of `LEDGER_SCHEMA`."""
    rows = [{name: getattr(entry, name) for name in _NAMES} for entry in entries]
    return pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)


def table_to_ledger(table: pa.Table) -> Iterator[LedgerEntry]:
    """Give back the entries of a batch of `LEDGER_SCHEMA`."""
    return (LedgerEntry(**row) for row in table.to_pylist())
