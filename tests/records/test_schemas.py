"""The Arrow schemas, spelled out: existing files and stores are read with them."""

from dataclasses import dataclass, field, make_dataclass
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
import pytest

from moodswarm.records import (
    CHUNK_SCHEMA,
    CLEANED_SCHEMA,
    DOCUMENT_SCHEMA,
    FEATURE_INDEX_SCHEMA,
)
from moodswarm.records.fields import INT32, arrow_schema, field_names
from moodswarm.records.ledger import LEDGER_SCHEMA

TIME = pa.timestamp("ms", tz="UTC")
COUNTS = pa.map_(pa.string(), pa.int64())

DOCUMENT = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("kind", pa.string(), nullable=False),
    pa.field("platform", pa.string(), nullable=False),
    pa.field("link", pa.string(), nullable=False),
    pa.field("author_id", pa.string(), nullable=False),
    pa.field("author_full_name", pa.string(), nullable=False),
    pa.field("title", pa.string()),
    pa.field("language", pa.string()),
    pa.field("published_at", TIME),
    pa.field("content", pa.string(), nullable=False),
    pa.field("content_hash", pa.string(), nullable=False),
    pa.field("updated_at", TIME),
    pa.field("deleted_at", TIME),
    pa.field("path", pa.string()),
    pa.field("repository_id", pa.string()),
    pa.field("commit", pa.string()),
    pa.field("licence", pa.string()),
    pa.field("spider", pa.string()),
    pa.field("etag", pa.string()),
    pa.field("fetched_at", TIME),
]

LEDGER = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("source_id", pa.string(), nullable=False),
    pa.field("url", pa.string(), nullable=False),
    pa.field("role", pa.string(), nullable=False),
    pa.field("state", pa.string(), nullable=False),
    pa.field("round", TIME, nullable=False),
    pa.field("depth", pa.int32(), nullable=False),
    pa.field("attempts", pa.int32(), nullable=False),
    pa.field("misses", pa.int32(), nullable=False),
    pa.field("found_on", pa.string()),
    pa.field("reason", pa.string()),
    pa.field("document_id", pa.string()),
    pa.field("etag", pa.string()),
    pa.field("last_modified", pa.string()),
    pa.field("revision", pa.string()),
    pa.field("visited_at", TIME),
]

METADATA = [
    pa.field("kind", pa.string(), nullable=False),
    pa.field("platform", pa.string(), nullable=False),
    pa.field("link", pa.string(), nullable=False),
    pa.field("author_id", pa.string(), nullable=False),
    pa.field("author_full_name", pa.string(), nullable=False),
    pa.field("title", pa.string()),
    pa.field("language", pa.string()),
    pa.field("published_at", TIME),
    pa.field("path", pa.string()),
    pa.field("repository_id", pa.string()),
    pa.field("commit", pa.string()),
]

CLEANED = [
    pa.field("id", pa.string(), nullable=False),
    *METADATA,
    pa.field("text", pa.string(), nullable=False),
    pa.field("content_hash", pa.string(), nullable=False),
    pa.field("revision", pa.string(), nullable=False),
    pa.field("source_characters", pa.int64(), nullable=False),
    pa.field("dropped", COUNTS, nullable=False),
]

CHUNK = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("document_id", pa.string(), nullable=False),
    *METADATA,
    pa.field("position", pa.int32(), nullable=False),
    pa.field("start", pa.int64(), nullable=False),
    pa.field("end", pa.int64(), nullable=False),
    pa.field("text", pa.string(), nullable=False),
    pa.field("token_count", pa.int32(), nullable=False),
    pa.field("unknown_tokens", pa.int32(), nullable=False),
    pa.field("revision", pa.string(), nullable=False),
]

FEATURE_INDEX = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("kind", pa.string(), nullable=False),
    pa.field("revision", pa.string(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("chunks", pa.int32(), nullable=False),
]


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        (DOCUMENT_SCHEMA, DOCUMENT),
        (LEDGER_SCHEMA, LEDGER),
        (CLEANED_SCHEMA, CLEANED),
        (CHUNK_SCHEMA, CHUNK),
        (FEATURE_INDEX_SCHEMA, FEATURE_INDEX),
    ],
    ids=["document", "ledger", "cleaned", "chunk", "feature_index"],
)
def test_a_schema_stays_as_it_is(schema: pa.Schema, fields: "list[pa.Field]") -> None:
    assert schema.equals(pa.schema(fields), check_metadata=True)
    assert [field.nullable for field in schema] == [field.nullable for field in fields]


@dataclass
class _Record:
    text: str
    role: Literal["a", "b"]
    number: int
    ratio: float | None
    at: datetime | None = None
    small: int = field(default=0, metadata=INT32)


def test_a_schema_follows_from_its_dataclass() -> None:
    expected = [
        pa.field("text", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("ratio", pa.float64()),
        pa.field("at", TIME),
        pa.field("small", pa.int32(), nullable=False),
    ]
    assert arrow_schema(_Record).equals(pa.schema(expected), check_metadata=True)


def test_fields_are_found_by_what_they_hold() -> None:
    assert field_names(_Record, str) == ("text", "role")
    assert field_names(_Record, datetime) == ("at",)
    assert field_names(_Record) == ("text", "role", "number", "ratio", "at", "small")


@pytest.mark.parametrize("odd", [complex, int | str])
def test_a_field_without_an_arrow_type_is_named(odd: Any) -> None:
    record = make_dataclass("Odd", [("size", odd)])
    with pytest.raises(TypeError, match=r"Odd\.size: .*Expected one of str, int, float, datetime"):
        arrow_schema(record)
