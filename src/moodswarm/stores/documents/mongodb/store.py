"""The server document store: MongoDB through pymongo.

Queries filter only by `_id`, `kind`, `deleted`, `source_id` and `place`, and sort only by `_id` and
`place`. The contract suite can then run them on a small stand-in for a server.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from moodswarm.records import DOCUMENT_SCHEMA, KINDS, Author, Document
from moodswarm.records.document import utc_milliseconds
from moodswarm.stores.documents.changes import (
    PROVENANCE,
    STATE_FIELDS,
    Changes,
    State,
    plan_restore,
    plan_upsert,
    storable,
)
from moodswarm.stores.documents.mongodb.calls import MongoCalls
from moodswarm.stores.documents.mongodb.client import bulk_write, connect, explained, hosts, pages
from moodswarm.stores.documents.mongodb.ledger import MongoLedger
from moodswarm.stores.documents.protocol import HASH_SCHEMA, UpsertResult
from moodswarm.stores.errors import StoreError
from moodswarm.stores.status import StoreStatus

_NAMES = tuple(name for name in DOCUMENT_SCHEMA.names if name != "id")
_ADDED_LATER = frozenset({"licence"})
_MAX_BYTES = 16 * 1024 * 1024

_Row = dict[str, Any]


class MongoDocumentStore:
    """Documents, authors, crawl ledger and model calls in one database: a `DocumentDatabase`.

    The server acknowledges a write once a majority of its members has it in the journal.

    Attributes:
        ledger: The crawl ledger.
        calls: The calls to language models.

    Args:
        uri: `mongodb://user:password@host:port/` or `mongodb+srv://...`; never shown or logged.
        database: Name of the database. Its collections are `documents`, `authors`, `crawl_ledger`
            and `model_calls`.
        server_selection_timeout_ms: Milliseconds to look for a server before raising
            `StoreUnavailable`.

    Raises:
        StoreUnavailable: pymongo is missing, or no server answers or accepts the credentials; the
            message names the hosts.
    """

    def __init__(
        self, uri: str, database: str = "moodswarm", *, server_selection_timeout_ms: int = 10_000
    ) -> None:
        self._location = f"mongodb://{hosts(uri)}/{database}"
        self._client = connect(uri, self._location, server_selection_timeout_ms)
        try:
            with explained(self._location):
                self._open(database)
        except BaseException:
            self._client.close()
            raise

    def upsert_documents(self, documents: Sequence[Document]) -> UpsertResult:
        """Write the documents that are new or changed, in one unordered bulk write."""
        return self._write(documents, plan_upsert)

    def restore_documents(self, documents: Sequence[Document]) -> UpsertResult:
        """Write the documents exactly as given, in one unordered bulk write."""
        return self._write(documents, plan_restore)

    def get_documents(self, ids: Sequence[str]) -> list[Document]:
        """Return the existing documents with these ids, ordered by id."""
        with explained(self._location):
            return [_document(row) for row in self._find(ids)]

    def scan_documents(
        self,
        *,
        include_deleted: bool = False,
        page_documents: int = 256,
        page_characters: int = 4_000_000,
    ) -> Iterator[list[Document]]:
        """Stream documents ordered by id; each page is chosen before any content is read."""
        if page_documents < 1:
            raise ValueError(f"page_documents is {page_documents}; expected at least 1")
        last = ""
        while True:
            with explained(self._location):
                rows = self._states_after(last, page_documents, include_deleted=include_deleted)
                ids = list(_bounded(rows, page_characters))
                found = [_document(row) for row in self._find(ids)]
            if not ids:
                return
            # A document that was deleted between the two reads is left out as well.
            page = [d for d in found if include_deleted or d.deleted_at is None]
            if page:
                yield page
            last = ids[-1]

    def scan_hashes(self, page_rows: int = 10_000) -> Iterator[pa.Table]:
        """Stream `HASH_SCHEMA` rows; no content leaves the server."""
        last = ""
        while True:
            with explained(self._location):
                rows = self._states_after(last, page_rows, include_deleted=False)
            if not rows:
                return
            columns = [[row[name] for row in rows] for name in ("_id", "kind", "content_hash")]
            yield pa.table(columns, schema=HASH_SCHEMA)
            last = rows[-1]["_id"]

    def tombstone_documents(self, ids: Sequence[str], at: datetime) -> int:
        """Mark documents as gone."""
        values = {
            "deleted": True,
            "deleted_at": utc_milliseconds(at),
            "updated_at": utc_milliseconds(datetime.now(UTC)),
        }
        with explained(self._location):
            return sum(
                self._documents.update_many(
                    {"_id": {"$in": some}, "deleted": False}, {"$set": values}
                ).modified_count
                for some in pages(ids)
            )

    def get_or_create_author(self, full_name: str) -> Author:
        """Return the record of this person."""
        author = Author.from_full_name(full_name)
        with explained(self._location):
            return self._save_authors({author.id: author})[author.id]

    def authors(self) -> list[Author]:
        """Return all authors, ordered by last and first name."""
        with explained(self._location):
            authors = [_author(row) for row in self._authors.find({})]
        return sorted(authors, key=lambda author: (author.last_name, author.first_name))

    def status(self) -> StoreStatus:
        """Connect to the server and count documents and authors."""
        documents = self._documents
        with explained(self._location):
            version = self._client.server_info().get("version", "unknown")
            counts = {
                kind: documents.count_documents({"kind": kind, "deleted": False}) for kind in KINDS
            }
            counts["deleted"] = documents.count_documents({"deleted": True})
            counts["authors"] = self._authors.count_documents({})
        return StoreStatus("mongodb", version, self._location, counts)

    def verify(self) -> None:
        """Do nothing: the server looks after its own files."""

    def __repr__(self) -> str:
        """Return the location and the counts, or the error if they cannot be read."""
        try:
            return f"<{type(self).__name__}: {self.status()}>"
        except StoreError as error:
            return f"<{type(self).__name__} at {self._location}: {error}>"

    def close(self) -> None:
        """Close the client's connections; the store cannot be used again."""
        self._client.close()

    def _open(self, name: str) -> None:
        from pymongo import ReadPreference, WriteConcern

        database = self._client.get_database(
            name,
            write_concern=WriteConcern(w="majority", j=True),
            read_preference=ReadPreference.PRIMARY,
        )
        self._documents, self._authors = database.documents, database.authors
        self._documents.create_index("link", unique=True)
        # For the counts in `status`. `deleted` is a flag because an index cannot tell a null from
        # a missing `deleted_at`. Scans of hashes use `_id` alone: the server then reads whole
        # documents, but sends only the hashes.
        self._documents.create_index({"deleted": 1, "kind": 1})
        self.ledger = MongoLedger(database.crawl_ledger, self._location)
        self.calls = MongoCalls(database.model_calls, self._location)

    def _find(self, ids: Sequence[str]) -> Iterator[_Row]:
        for some in pages(sorted(set(ids))):
            yield from self._documents.find({"_id": {"$in": some}}).sort("_id", 1)

    def _states_after(self, last: str, limit: int, *, include_deleted: bool) -> list[_Row]:
        condition: _Row = {"_id": {"$gt": last}}
        if not include_deleted:
            condition["deleted"] = False
        columns = dict.fromkeys(("_id", "kind", "content_hash", "characters"), 1)
        return list(self._documents.find(condition, columns).sort("_id", 1).limit(limit))

    def _write(
        self,
        documents: Sequence[Document],
        plan: Callable[[Sequence[Document], Mapping[str, State]], Changes],
    ) -> UpsertResult:
        from pymongo import ReplaceOne, UpdateOne

        fine, failures = storable(documents, _obstacle)
        with explained(self._location):
            changes = plan(fine, self._states(fine))
            changes.failures += failures
            # Authors come first, so that a kill in between leaves no document without its author.
            self._save_authors(changes.authors())
            replacements = {
                id_: ReplaceOne({"_id": id_}, _row(document), upsert=True)
                for id_, document in changes.writes.items()
            }
            for id_, reason in bulk_write(self._documents, replacements).items():
                changes.fail(id_, reason)
            updates = {
                id_: UpdateOne({"_id": id_}, {"$set": _values(document, PROVENANCE)})
                for id_, document in changes.provenance.items()
            }
            bulk_write(self._documents, updates)
        return changes.result()

    def _states(self, documents: Sequence[Document]) -> dict[str, State]:
        columns = dict.fromkeys(STATE_FIELDS, 1)
        return {
            row["_id"]: State(**_found(row, STATE_FIELDS))
            for ids in pages([document.id for document in documents])
            for row in self._documents.find({"_id": {"$in": ids}}, columns)
        }

    def _save_authors(self, authors: Mapping[str, Author]) -> dict[str, Author]:
        from pymongo import ReplaceOne

        stored = {
            row["_id"]: _author(row)
            for ids in pages(list(authors))
            for row in self._authors.find({"_id": {"$in": ids}})
        }
        best = {id_: a.better_spelled(stored.get(id_, a)) for id_, a in authors.items()}
        names = ("first_name", "last_name")
        replacements = {
            id_: ReplaceOne({"_id": id_}, {"_id": id_, **_values(a, names)}, upsert=True)
            for id_, a in best.items()
            if a != stored.get(id_)
        }
        if failed := bulk_write(self._authors, replacements):
            raise StoreError(f"{self._location} did not take authors: {failed}")
        return best


def _obstacle(document: Document) -> str | None:
    if len(document.content) * 4 < _MAX_BYTES // 2:
        return None  # small enough; saves encoding every document twice
    from bson import encode
    from bson.errors import InvalidStringData

    try:
        size = len(encode(_row(document)))
    except (UnicodeEncodeError, InvalidStringData):
        return None  # `storable` reports broken text
    if size <= _MAX_BYTES:
        return None
    return f"the document has {size:,} bytes; MongoDB holds at most {_MAX_BYTES:,} (16 MiB)"


def _row(document: Document) -> _Row:
    return {
        "_id": document.id,
        **_values(document, _NAMES),
        "deleted": document.deleted_at is not None,
        "characters": len(document.content),
    }


def _document(row: _Row) -> Document:
    return Document(id=row["_id"], **_found(row, _NAMES))


def _found(row: _Row, names: Sequence[str]) -> _Row:
    """Return stored values; a field that was added after a document was written is None."""
    return {name: row.get(name) if name in _ADDED_LATER else row[name] for name in names}


def _author(row: _Row) -> Author:
    return Author(row["_id"], row["first_name"], row["last_name"])


def _values(record: Document | Author, names: Sequence[str]) -> _Row:
    return {name: getattr(record, name) for name in names}


def _bounded(rows: Sequence[_Row], characters: int) -> Iterator[str]:
    for position, row in enumerate(rows):
        characters -= row["characters"]
        if position and characters < 0:
            return
        yield row["_id"]
