"""The server document store: MongoDB through pymongo.

Only filters by `_id`, `kind` and `deleted` and sorts by `_id` are used, so that the contract suite
can judge it over the wire without a server, and any MongoDB from 4.4 on serves it from an index.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from moodswarm.records import KINDS, Author, Document
from moodswarm.records.document import utc_milliseconds
from moodswarm.stores.changes import (
    PROVENANCE,
    STATE_FIELDS,
    Changes,
    State,
    plan_restore,
    plan_upsert,
    storable,
)
from moodswarm.stores.documents import HASH_SCHEMA, StoreStatus, UpsertResult
from moodswarm.stores.errors import StoreError, StoreFull, StoreUnavailable

if TYPE_CHECKING:
    from pymongo import MongoClient, UpdateOne
    from pymongo.database import Database

_NAMES = tuple(field.name for field in fields(Document) if field.name != "id")
_STATES = "document_states"
_MAX_BYTES = 16 * 1024 * 1024
_IDS_PER_QUERY = 1000
_DUPLICATE_KEY, _OUT_OF_DISK_SPACE = 11000, 14031
_REFUSED = (13, 18)  # Unauthorized, AuthenticationFailed

_Row = dict[str, Any]
_Write = "UpdateOne"


class MongoDocumentStore:
    """Documents and authors in one MongoDB database; implements `DocumentStore`.

    Writes are acknowledged once a majority of the servers has them in its journal.

    Args:
        uri: `mongodb://user:password@host:port/` or `mongodb+srv://...`; never shown or logged.
        database: Holds the collections `documents` and `authors`.
        server_selection_timeout_ms: How long to look for a server before `StoreUnavailable`.

    Raises:
        StoreUnavailable: names the hosts; pymongo is missing, or no server answers or accepts us.
    """

    def __init__(
        self, uri: str, database: str = "moodswarm", *, server_selection_timeout_ms: int = 10_000
    ) -> None:
        self._location = f"mongodb://{_hosts(uri)}/{database}"
        self._client = _connect(uri, self._location, server_selection_timeout_ms)
        try:
            with self._explained():
                self._database = _open(self._client, database)
        except BaseException:
            self._client.close()
            raise

    def upsert_documents(self, documents: Sequence[Document]) -> UpsertResult:
        """Write what is new or changed, in one unordered bulk write."""
        return self._write(documents, plan_upsert)

    def restore_documents(self, documents: Sequence[Document]) -> UpsertResult:
        """Write the documents exactly as given, in one unordered bulk write."""
        return self._write(documents, plan_restore)

    def get_documents(self, ids: Sequence[str]) -> list[Document]:
        """Return the documents that exist, ordered by id."""
        with self._explained():
            return [_document(row) for row in self._find(ids)]

    def scan_documents(
        self,
        *,
        include_deleted: bool = False,
        page_documents: int = 256,
        page_characters: int = 4_000_000,
    ) -> Iterator[list[Document]]:
        """Stream documents ordered by id; a page is chosen by lengths before content is read."""
        if page_documents < 1:
            raise ValueError(f"page_documents is {page_documents}; expected at least 1")
        last = ""
        while True:
            with self._explained():
                rows = self._states_after(last, page_documents, include_deleted=include_deleted)
                ids = list(_bounded(rows, page_characters))
                found = [_document(row) for row in self._find(ids)]
            if not ids:
                return
            # What was deleted between the two reads is left out, as if it had been in time.
            page = [d for d in found if include_deleted or d.deleted_at is None]
            if page:
                yield page
            last = ids[-1]

    def scan_hashes(self, page_rows: int = 10_000) -> Iterator[pa.Table]:
        """Stream `HASH_SCHEMA` rows from the index alone."""
        last = ""
        while True:
            with self._explained():
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
        with self._explained():
            return sum(
                self._database.documents.update_many(
                    {"_id": {"$in": some}, "deleted": False}, {"$set": values}
                ).modified_count
                for some in _pages(ids)
            )

    def get_or_create_author(self, full_name: str) -> Author:
        """Return the one record of this person."""
        author = Author.from_full_name(full_name)
        with self._explained():
            return self._save_authors({author.id: author})[author.id]

    def authors(self) -> list[Author]:
        """Return all authors, ordered by last and first name."""
        with self._explained():
            authors = [_author(row) for row in self._database.authors.find({})]
        return sorted(authors, key=lambda author: (author.last_name, author.first_name))

    def status(self) -> StoreStatus:
        """Reach the server and count."""
        documents = self._database.documents
        with self._explained():
            version = self._client.server_info().get("version", "unknown")
            counts = {
                kind: documents.count_documents({"kind": kind, "deleted": False}) for kind in KINDS
            }
            counts["deleted"] = documents.count_documents({"deleted": True})
            counts["authors"] = self._database.authors.count_documents({})
        return StoreStatus("mongodb", version, self._location, counts)

    def close(self) -> None:
        """Close the client's connections; the store cannot be used again."""
        self._client.close()

    def _find(self, ids: Sequence[str]) -> Iterator[_Row]:
        for some in _pages(ids):
            yield from self._database.documents.find({"_id": {"$in": some}}).sort("_id", 1)

    def _states_after(self, last: str, limit: int, *, include_deleted: bool) -> list[_Row]:
        condition: _Row = {"_id": {"$gt": last}}
        if not include_deleted:
            condition["deleted"] = False
        columns = dict.fromkeys(("_id", "kind", "content_hash", "characters"), 1)
        found = self._database.documents.find(condition, columns).sort("_id", 1).limit(limit)
        return list(found.hint(_STATES))

    def _write(
        self,
        documents: Sequence[Document],
        plan: Callable[[Sequence[Document], Mapping[str, State]], Changes],
    ) -> UpsertResult:
        fine, failures = storable(documents, _obstacle)
        with self._explained():
            changes = plan(fine, self._states(fine))
            changes.failures += failures
            # Authors first: a run that is killed between the two is repeated, and sees documents
            # without their author never.
            self._save_authors(changes.authors())
            self._save_documents(changes)
        return changes.result()

    def _states(self, documents: Sequence[Document]) -> dict[str, State]:
        columns = dict.fromkeys(STATE_FIELDS, 1)
        states = {}
        for ids in _pages([document.id for document in documents]):
            for row in self._database.documents.find({"_id": {"$in": ids}}, columns):
                states[row["_id"]] = State(**{name: row[name] for name in STATE_FIELDS})
        return states

    def _save_documents(self, changes: Changes) -> None:
        from pymongo import ReplaceOne, UpdateOne

        replacements = [
            ReplaceOne({"_id": document.id}, _row(document), upsert=True)
            for document in changes.writes.values()
        ]
        for document_id, reason in self._bulk_write(replacements).items():
            changes.fail(document_id, reason)
        self._bulk_write(
            [
                UpdateOne(
                    {"_id": document.id},
                    {"$set": {name: getattr(document, name) for name in PROVENANCE}},
                )
                for document in changes.provenance.values()
            ]
        )

    def _save_authors(self, authors: Mapping[str, Author]) -> dict[str, Author]:
        from pymongo import ReplaceOne

        stored = {
            row["_id"]: _author(row)
            for ids in _pages(list(authors))
            for row in self._database.authors.find({"_id": {"$in": ids}})
        }
        best = {id_: a.better_spelled(stored.get(id_, a)) for id_, a in authors.items()}
        names = ("first_name", "last_name")
        changed = [
            ReplaceOne({"_id": id_}, {name: getattr(author, name) for name in names}, upsert=True)
            for id_, author in best.items()
            if author != stored.get(id_)
        ]
        for author_id, reason in self._bulk_write(changed, self._database.authors).items():
            raise StoreError(f"{self._location} did not take author {author_id}: {reason}")
        return best
