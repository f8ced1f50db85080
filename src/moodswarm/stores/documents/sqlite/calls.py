"""Calls to language models in SQLite."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from moodswarm.records.calls import CallRecord
from moodswarm.stores.documents.calls import (
    CALL_NAMES,
    CALL_TIMES,
    Place,
    scan_call_pages,
    storable_calls,
)
from moodswarm.stores.documents.sqlite.file import SqliteFile
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


class SqliteCalls:
    """The table `model_calls`: a `CallStore`."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def record(self, calls: Sequence[CallRecord]) -> None:
        """Write calls in one transaction."""
        if not calls:
            return
        # Done outside the transaction, because other writers wait until the transaction ends.
        rows = [_row(call) for call in storable_calls(calls)]
        with self._file.write() as connection:
            connection.executemany(_WRITE, rows)

    def scan(
        self, since: datetime | None = None, page_rows: int = 1000
    ) -> Iterator[list[CallRecord]]:
        """Stream calls ordered by time and id; others may write between two pages."""

        def read(last: Place) -> list[CallRecord]:
            at, id_ = last
            with self._file.read() as connection:
                found = connection.execute(_NEXT, (to_integer(at), id_, page_rows))
                return [CallRecord(**from_columns(CALL_NAMES, row, CALL_TIMES)) for row in found]

        return scan_call_pages(read, since, page_rows)


def _row(call: CallRecord) -> list[float | str | None]:
    return [to_column(getattr(call, name)) for name in CALL_NAMES]
