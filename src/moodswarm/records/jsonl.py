"""A document as one line of JSON, the form that exports, imports and samples share."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moodswarm.records.document import DOCUMENT_SCHEMA, TIMES, Document, InvalidDocument


def document_to_line(document: Document) -> str:
    """Return all fields in schema order, times as UTC ISO 8601 with milliseconds; no newline."""
    values = {name: getattr(document, name) for name in DOCUMENT_SCHEMA.names}
    for name in TIMES:
        if values[name] is not None:
            # Documents hold UTC; `Z` is shorter and as exact as `+00:00`.
            time = values[name].replace(tzinfo=None)
            values[name] = f"{time.isoformat(timespec='milliseconds')}Z"
    return json.dumps(values, ensure_ascii=False)


def document_from_values(values: Mapping[str, Any]) -> Document:
    """Build a document from a JSON object; what is derived (ids, hash) is computed anew.

    Args:
        values: Fields by name; times as ISO 8601, those without a zone are UTC.

    Raises:
        InvalidDocument: names the field, what was expected and what was found.
    """
    times = {name: _time(name, values[name]) for name in TIMES if name in values}
    return Document.create(**{**values, **times})


def _time(name: str, value: object) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)  # type: ignore[arg-type]  # TypeError: not text
    except (TypeError, ValueError) as error:
        raise InvalidDocument(
            f"{name}: expected ISO 8601 such as 2024-05-31T12:00:00Z, found {value!r:.60}"
        ) from error
