"""The crawl ledger: one entry for every link that a crawl has come across, and its outcome.

It lives in the same database as the documents, so that both are lost, copied and restored together.
A crawl that was killed, at whatever moment, continues from the ledger.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

import pyarrow as pa

from moodswarm.records.fields import INT32, arrow_schema, field_names
from moodswarm.records.ids import document_id
from moodswarm.records.links import canonical_link

#: The kinds of link that a crawl requests: a listing (feed, sitemap, archive, API page) names other
#: links, a page holds one document, and a repository holds one document per file.
AskedRole = Literal["listing", "page", "repository"]
#: The kinds of link in the ledger. A file comes with its repository and is never requested alone.
Role = Literal[AskedRole, "file"]
ROLES: tuple[Role, ...] = get_args(Role)

#: A `queued` link was found but not requested yet. The document of a `gone` link was stored once
#: and is now deleted.
STATES = ("queued", "done", "failed", "skipped", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """Everything known about one link.

    Attributes:
        id: The `document_id` of `canonical_link(url)`. The http and the https form, with or
            without tracking parameters, therefore share one entry.
        source_id: The configured source that most recently led to this link.
        url: The address to request, as it was found.
        role: The kind of thing behind the link.
        state: One of `STATES`.
        round: Start of the round in which the entry was last updated. A round requests every
            link of a source once; an interrupted round continues under the same start time.
        depth: Number of links followed from the source to this one; the source itself has 0.
        attempts: How often requests for the link failed in this round.
        misses: How many times in a row the link was missing (404, 410).
        found_on: Address of the listing or repository that named the link.
        reason: Why the link failed or was skipped: a code such as `http_500`, sometimes followed
            by `: details`.
        document_id: Id of the document found at the link; the document's canonical link may differ
            from `url`.
        etag: With `last_modified`, what the server sent for the next conditional request; for a
            repository, the commit.
        revision: Version of the extraction that made the document.
        visited_at: When the link was last requested.
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
        ValueError: the link is not an absolute http or https address.
    """
    return document_id(canonical_link(url))


def ledger_to_table(entries: Iterable[LedgerEntry]) -> pa.Table:
    """Build one batch of entries with `LEDGER_SCHEMA`."""
    names = LEDGER_SCHEMA.names
    rows = [{name: getattr(entry, name) for name in names} for entry in entries]
    return pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)


def table_to_ledger(table: pa.Table) -> Iterator[LedgerEntry]:
    """Yield the entries in a batch with `LEDGER_SCHEMA`."""
    return (LedgerEntry(**row) for row in table.to_pylist())
