"""Tables for the preview panel of kedro-viz."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NewType

# kedro-viz recognises a preview by the name of its return type, so kedro-viz need not be installed.
TablePreview = NewType("TablePreview", dict[str, Any])

MAX_CELL = 300


def table_preview(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> TablePreview:
    """Lay rows out as a table, with long cells cut short."""
    rows = list(rows)
    return TablePreview(
        {
            "index": list(range(len(rows))),
            "columns": list(columns),
            "data": [[_cell(row.get(column)) for column in columns] for row in rows],
        }
    )


def _cell(value: Any) -> str | int | float | None:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
