"""Reads a record's Arrow schema, and the fields that hold times or texts, from its dataclass."""

from dataclasses import fields
from datetime import datetime
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pyarrow as pa

#: The Arrow type of times in stores and files.
TIME = pa.timestamp("ms", tz="UTC")

#: Field metadata for a whole number that Arrow stores in 32 bits instead of 64.
INT32 = {"arrow": pa.int32()}

_ARROW: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    datetime: TIME,
}


def arrow_schema(record: type) -> pa.Schema:
    """Return the schema of a table with one row per record and its columns in field order.

    A field that may be None becomes a nullable column. If the annotation does not say enough,
    the field's metadata names the Arrow type under the key `arrow`, as `INT32` does.

    Raises:
        TypeError: a field's annotation has no Arrow type; the message names the field.
    """
    types = _types(record)
    columns: list[pa.Field[Any]] = []
    for field in fields(record):
        (plain, *more) = types[field.name] - {NoneType}
        type_ = field.metadata.get("arrow", _ARROW.get(plain))
        if type_ is None or more:
            known = ", ".join(each.__name__ for each in _ARROW)
            raise TypeError(
                f"{record.__name__}.{field.name}: {field.type} has no Arrow type. Expected one of "
                f"{known}, each with or without None"
            )
        columns.append(pa.field(field.name, type_, nullable=NoneType in types[field.name]))
    return pa.schema(columns)


def field_names(record: type, holding: type | None = None) -> tuple[str, ...]:
    """Return the names of all fields of a record, or only of those that may hold the given type."""
    types = _types(record)
    names = (field.name for field in fields(record))
    return tuple(name for name in names if holding is None or holding in types[name])


def _types(record: type) -> dict[str, set[type]]:
    """Return the types that each field may hold; for a `Literal`, the types of its values."""
    return {name: _members(hint) for name, hint in get_type_hints(record).items()}


def _members(hint: Any) -> set[type]:
    if get_origin(hint) is Literal:
        return {type(value) for value in get_args(hint)}
    return {type_ for each in get_args(hint) for type_ in _members(each)} or {hint}
