"""The crawl ledger in MongoDB."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from moodswarm.records.ledger import LEDGER_SCHEMA, LedgerEntry
from moodswarm.stores.documents.ledger import scan_entry_pages, settle
from moodswarm.stores.documents.mongodb.client import bulk_write, explained, pages
from moodswarm.stores.errors import StoreError

if TYPE_CHECKING:
    from pymongo import ReplaceOne, UpdateOne
    from pymongo.collection import Collection

_NAMES = tuple(name for name in LEDGER_SCHEMA.names if name != "id")

_Row = dict[str, Any]


class MongoLedger:
    """The collection `crawl_ledger`: a `LedgerStore`.

    Args:
        collection: Its index is created here; the caller must translate errors from that.
        location: Where the database is, for error messages.
    """

    def __init__(self, collection: "Collection[_Row]", location: str) -> None:
        self._entries = collection
        self._location = location
        # Scans are ordered by `_id`; this index finds the entries of a few sources among many. It
        # lacks `_id` because the contract suite's stand-in for a server cannot index that field.
        self._entries.create_index("source_id")

    def record(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries in one unordered bulk write."""
        import pymongo

        queued, known = settle(entries)
        writes: dict[str, ReplaceOne[_Row] | UpdateOne] = {
            entry.id: pymongo.UpdateOne(
                {"_id": entry.id}, {"$setOnInsert": _values(entry)}, upsert=True
            )
            for entry in queued
        }
        for entry in known:
            row = {"_id": entry.id, **_values(entry)}
            writes[entry.id] = pymongo.ReplaceOne({"_id": entry.id}, row, upsert=True)
        with explained(self._location):
            failed = bulk_write(self._entries, writes)
        if failed:
            raise StoreError(
                f"{self._entries.full_name} did not take {len(failed)} ledger entries, "
                f"for example {next(iter(failed.items()))}; repeating this is safe"
            )

    def scan(
        self, source_ids: Sequence[str] | None = None, page_rows: int = 1000
    ) -> Iterator[list[LedgerEntry]]:
        """Stream entries ordered by id; each page is one query."""

        def read(last: str) -> list[LedgerEntry]:
            condition: _Row = {"_id": {"$gt": last}}
            if source_ids is not None:
                condition["source_id"] = {"$in": list(source_ids)}
            with explained(self._location):
                found = self._entries.find(condition).sort("_id", 1).limit(page_rows)
                return [_entry(row) for row in found]

        return scan_entry_pages(read, page_rows)

    def get(self, ids: Sequence[str]) -> list[LedgerEntry]:
        """Return the existing entries with these ids, ordered by id."""
        with explained(self._location):
            return [
                _entry(row)
                for some in pages(sorted(set(ids)))
                for row in self._entries.find({"_id": {"$in": some}}).sort("_id", 1)
            ]


def _values(entry: LedgerEntry) -> _Row:
    return {name: getattr(entry, name) for name in _NAMES}


def _entry(row: _Row) -> LedgerEntry:
    return LedgerEntry(id=row["_id"], **{name: row[name] for name in _NAMES})
