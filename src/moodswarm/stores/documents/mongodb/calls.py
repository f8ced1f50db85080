"""Calls to language models in MongoDB."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moodswarm.records.calls import CallRecord
from moodswarm.stores.documents.calls import CALL_NAMES, Place, scan_call_pages, storable_calls
from moodswarm.stores.documents.mongodb.client import bulk_write, explained
from moodswarm.stores.errors import StoreError

if TYPE_CHECKING:
    from pymongo.collection import Collection

_NAMES = tuple(name for name in CALL_NAMES if name != "id")
_YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)

_Row = dict[str, Any]


class MongoCalls:
    """The collection `model_calls`: a `CallStore`.

    Args:
        collection: Its index is created here; the caller must translate errors from that.
        location: Where the database is, for error messages.
    """

    def __init__(self, collection: "Collection[_Row]", location: str) -> None:
        self._calls = collection
        self._location = location
        # `place` joins time and id into one text, so that each page is one range of the index. It
        # also lets the contract suite run on its stand-in for a server, which cannot compare dates.
        self._calls.create_index("place")

    def record(self, calls: Sequence[CallRecord]) -> None:
        """Write calls in one unordered bulk write."""
        from pymongo import ReplaceOne

        writes = {
            call.id: ReplaceOne({"_id": call.id}, _row(call), upsert=True)
            for call in storable_calls(calls)
        }
        with explained(self._location):
            failed = bulk_write(self._calls, writes)
        if failed:
            raise StoreError(
                f"{self._calls.full_name} did not take {len(failed)} calls, "
                f"for example {next(iter(failed.items()))}; repeating this is safe"
            )

    def scan(
        self, since: datetime | None = None, page_rows: int = 1000
    ) -> Iterator[list[CallRecord]]:
        """Stream calls ordered by time and id; each page is one query."""

        def read(last: Place) -> list[CallRecord]:
            condition = {"place": {"$gt": _key(*last)}}
            with explained(self._location):
                found = self._calls.find(condition).sort("place", 1).limit(page_rows)
                return [_call(row) for row in found]

        return scan_call_pages(read, since, page_rows)


def _key(at: datetime, id_: str) -> str:
    return f"{(at - _YEAR_1) // timedelta(milliseconds=1):015d} {id_}"


def _row(call: CallRecord) -> _Row:
    values = {name: getattr(call, name) for name in _NAMES}
    return {"_id": call.id, "place": _key(call.at, call.id), **values}


def _call(row: _Row) -> CallRecord:
    return CallRecord(id=row["_id"], **{name: row[name] for name in _NAMES})
