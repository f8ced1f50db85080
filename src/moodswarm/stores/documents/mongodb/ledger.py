"""The crawl ledger in the MongoDB document store."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from moodswarm.records.ledger import LEDGER_SCHEMA, LedgerEntry
from moodswarm.stores.documents.ledger import settle
from moodswarm.stores.documents.mongodb.client import bulk_write, pages
from moodswarm.stores.errors import StoreError

if TYPE_CHECKING:
    from pymongo import ReplaceOne, UpdateOne
    from pymongo.collection import Collection

_NAMES = tuple(name for name in LEDGER_SCHEMA.names if name != "id")

_Row = dict[str, Any]


class MongoLedger:
    """Entries in the collection `crawl_ledger`; the caller explains the driver's errors."""

    def __init__(self, collection: "Collection[_Row]") -> None:
        self._entries = collection
        # Scans follow `_id`; a few sources among many are found by this. It does not name `_id` as
        # well, which the server of the contract suite cannot index.
        self._entries.create_index("source_id")

    def record(self, entries: Sequence[LedgerEntry]) -> None:
        """Write entries as `DocumentStore.record_ledger` says, in one unordered bulk write."""
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
        if failed := bulk_write(self._entries, writes):
            raise StoreError(
                f"{self._entries.full_name} did not take {len(failed)} ledger entries, "
                f"for example {next(iter(failed.items()))}; repeating this is safe"
            )

    def page(self, last: str, source_ids: Sequence[str] | None, rows: int) -> list[LedgerEntry]:
        """Return the entries that follow the id `last`, of these sources or of all."""
        condition: _Row = {"_id": {"$gt": last}}
        if source_ids is not None:
            condition["source_id"] = {"$in": list(source_ids)}
        found = self._entries.find(condition).sort("_id", 1).limit(rows)
        return [_entry(row) for row in found]

    def entries(self, ids: Sequence[str]) -> Iterator[LedgerEntry]:
        """Give the entries that exist, ordered by id."""
        for some in pages(sorted(set(ids))):
            for row in self._entries.find({"_id": {"$in": some}}).sort("_id", 1):
                yield _entry(row)


def _values(entry: LedgerEntry) -> _Row:
    return {name: getattr(entry, name) for name in _NAMES}


def _entry(row: _Row) -> LedgerEntry:
    return LedgerEntry(id=row["_id"], **{name: row[name] for name in _NAMES})
