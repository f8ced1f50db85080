"""Model calls in the SQLite document store."""

import sqlite3
from collections.abc import Sequence

from moodswarm.records.calls import CallRecord
from moodswarm.stores.documents.calls import CALL_NAMES, CALL_TIMES, Place
from moodswarm.stores.documents.sqlite.schema import (
    from_columns,
    insert_or_replace,
    listed,
    to_column,
    to_integer,
)

_WRITE = insert_or_replace("model_calls", CALL_NAMES)
_NEXT = (
    f"SELECT {listed(CALL_NAMES)} FROM model_calls "  # noqa: S608  # our own names
    "WHERE (at, id) > (?, ?) ORDER BY at, id LIMIT ?"
)


def write_calls(connection: sqlite3.Connection, calls: Sequence[CallRecord]) -> None:
    """Write calls, whatever is there of their ids, within the caller's transaction."""
    connection.executemany(_WRITE, map(_row, calls))


def select_calls(connection: sqlite3.Connection, last: Place, rows: int) -> list[CallRecord]:
    """Return the calls that follow a place, ordered by time and id."""
    at, id_ = last
    found = connection.execute(_NEXT, (to_integer(at), id_, rows))
    return [CallRecord(**from_columns(CALL_NAMES, row, CALL_TIMES)) for row in found]


def _row(call: CallRecord) -> list[float | str | None]:
    return [to_column(getattr(call, name)) for name in CALL_NAMES]
