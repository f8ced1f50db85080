"""A document as one line of JSON: the format of exports, imports and samples."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moodswarm.records.document import DOCUMENT_SCHEMA, TIMES, Document, InvalidDocument


def document_to_line(document: Document) -> str:
    """Return all fields in schema order, without a newline; times are UTC, to the millisecond."""
    values = {name: getattr(document, name) for name in DOCUMENT_SCHEMA.names}
    for name in TIMES:
        if values[name] is not None:
            # Documents hold UTC; `Z` is shorter than `+00:00` and just as exact.
            time = values[name].replace(tzinfo=None)
            values[name] = f"{time.isoformat(timespec='milliseconds')}Z"
    return json.dumps(values, ensure_ascii=False)


def document_from_values(values: Mapping[str, Any]) -> Document:
    """Build a document from a JSON object; derived fields (ids, hash) are computed again.

    Args:
        values: Fields by name. Times are ISO 8601; those without a zone are taken as UTC.

    Raises:
        InvalidDocument: a field is wrong; the message names it.
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
