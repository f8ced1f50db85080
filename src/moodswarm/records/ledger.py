"""The crawl ledger: one entry per link that a crawl has met, and what became of it.

It lives in the document store beside the documents, so that both are lost, copied and restored
together. A crawl that was killed at any moment continues from it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

import pyarrow as pa

from moodswarm.records.fields import INT32, arrow_schema, field_names
from moodswarm.records.ids import document_id
from moodswarm.records.links import canonical_link

#: What a crawl asks for: a listing (feed, sitemap, archive, API page) names links, a page holds one
#: document, a repository one per file.
AskedRole = Literal["listing", "page", "repository"]
#: What a link leads to. A file comes with its repository and is never asked for by itself.
Role = Literal[AskedRole, "file"]
ROLES: tuple[Role, ...] = get_args(Role)

#: `queued` was found and not asked for yet; `gone` was stored once and is deleted now.
STATES = ("queued", "done", "failed", "skipped", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What is known of one link.

    Attributes:
        id: That of `canonical_link(url)`, see `document_id`: http and https, with and without
            tracking parameters are one entry.
        source_id: The configured source that led here last.
        url: What is asked for, as it was found.
        role: What the link leads to.
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
    role: Role
    state: str
    round: datetime
    depth: int = field(default=0, metadata=INT32)
    attempts: int = field(default=0, metadata=INT32)
    misses: int = field(default=0, metadata=INT32)
    found_on: str | None = None
    reason: str | None = None
    document_id: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    revision: str | None = None
    visited_at: datetime | None = None


LEDGER_SCHEMA = arrow_schema(LedgerEntry)
LEDGER_TIMES = field_names(LedgerEntry, datetime)


def ledger_id(url: str) -> str:
    """Return the id of a link's entry.

    Raises:
        ValueError: not an absolute http or https address.
    """
    return document_id(canonical_link(url))


def ledger_to_table(entries: Iterable[LedgerEntry]) -> pa.Table:
    """Turn entries into one batch of `LEDGER_SCHEMA`."""
    names = LEDGER_SCHEMA.names
    rows = [{name: getattr(entry, name) for name in names} for entry in entries]
    return pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)


def table_to_ledger(table: pa.Table) -> Iterator[LedgerEntry]:
    """Give back the entries of a batch of `LEDGER_SCHEMA`."""
    return (LedgerEntry(**row) for row in table.to_pylist())
