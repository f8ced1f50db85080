"""Model calls in the MongoDB document store."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moodswarm.records.calls import CallRecord
from moodswarm.stores.documents.calls import CALL_NAMES, Place, storable_calls
from moodswarm.stores.documents.mongodb.client import bulk_write
from moodswarm.stores.errors import StoreError

if TYPE_CHECKING:
    from pymongo.collection import Collection

_NAMES = tuple(name for name in CALL_NAMES if name != "id")
_YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)

_Row = dict[str, Any]


class MongoCalls:
    """Calls in the collection `model_calls`; the caller explains the driver's errors."""

    def __init__(self, collection: "Collection[_Row]") -> None:
        self._calls = collection
        # Time and id as one text: a page is then one range of one index, and the server of the
        # contract suite, which compares no dates, can judge it.
        self._calls.create_index("place")

    def record(self, calls: Sequence[CallRecord]) -> None:
        """Write calls as `DocumentStore.record_calls` says, in one unordered bulk write."""
        from pymongo import ReplaceOne

        writes = {
            call.id: ReplaceOne({"_id": call.id}, _row(call), upsert=True)
            for call in storable_calls(calls)
        }
        if failed := bulk_write(self._calls, writes):
            raise StoreError(
                f"{self._calls.full_name} did not take {len(failed)} calls, "
                f"for example {next(iter(failed.items()))}; repeating this is safe"
            )

    def page(self, last: Place, rows: int) -> list[CallRecord]:
        """Return the calls that follow a place, ordered by time and id."""
        found = self._calls.find({"place": {"$gt": _key(*last)}}).sort("place", 1).limit(rows)
        return [_call(row) for row in found]


def _key(at: datetime, id_: str) -> str:
    return f"{(at - _YEAR_1) // timedelta(milliseconds=1):015d} {id_}"


def _row(call: CallRecord) -> _Row:
    values = {name: getattr(call, name) for name in _NAMES}
    return {"_id": call.id, "place": _key(call.at, call.id), **values}


def _call(row: _Row) -> CallRecord:
    return CallRecord(id=row["_id"], **{name: row[name] for name in _NAMES})
