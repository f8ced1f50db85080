"""The tables of the embedded document store, their migrations, and conversion of column values.

The SQL statements are written out, not derived from the record classes, because existing files
depend on them.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from moodswarm.records import DOCUMENT_SCHEMA
from moodswarm.records.ledger import LEDGER_SCHEMA

APPLICATION_ID = 0x4D6F6F64  # "Mood"
SCHEMA_VERSION = 3

# Entries are read in the order of their ids, for all sources or for some. The index finds the
# entries of the chosen sources in that order, without sorting and without reading other entries.
_LEDGER = """
CREATE TABLE crawl_ledger (
    id TEXT NOT NULL PRIMARY KEY,
    source_id TEXT NOT NULL,
    url TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    round INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    found_on TEXT,
    reason TEXT,
    document_id TEXT,
    etag TEXT,
    last_modified TEXT,
    revision TEXT,
    visited_at INTEGER
);
CREATE INDEX crawl_ledger_sources ON crawl_ledger (id, source_id)
"""

# Calls are read in the order of the index below. The texts come last, so that summing the costs
# does not have to read past them.
_CALLS = """
CREATE TABLE model_calls (
    id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    profile TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    template TEXT NOT NULL,
    state TEXT NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cost REAL,
    currency TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    milliseconds REAL NOT NULL,
    error TEXT,
    request_hash TEXT NOT NULL,
    prompt TEXT,
    answer TEXT
);
CREATE INDEX model_calls_times ON model_calls (at, id)
"""

# `content` comes last, so that reading another column never touches the overflow pages of a long
# text. Scans of hashes, of page lengths and of counts read only the index, not the table.
SCHEMA = f"""
CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    platform TEXT NOT NULL,
    link TEXT NOT NULL UNIQUE,
    author_id TEXT NOT NULL,
    author_full_name TEXT NOT NULL,
    title TEXT,
    language TEXT,
    published_at INTEGER,
    content_hash TEXT NOT NULL,
    updated_at INTEGER,
    deleted_at INTEGER,
    path TEXT,
    repository_id TEXT,
    "commit" TEXT,
    licence TEXT,
    spider TEXT,
    etag TEXT,
    fetched_at INTEGER,
    characters INTEGER NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX document_states ON documents (id, deleted_at, kind, content_hash, characters);
CREATE TABLE authors (
    id TEXT NOT NULL PRIMARY KEY,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL
);
{_LEDGER};
{_CALLS}
"""

# The key is the version that a migration leads to. In a migrated file `licence` comes after
# `content`, because the table is not rewritten. Reading the licence of a 50 KB file then takes
# 20 us instead of 2.
MIGRATIONS = {2: f"ALTER TABLE documents ADD COLUMN licence TEXT; {_LEDGER}", 3: _CALLS}

DOCUMENT_COLUMNS = (*(name for name in DOCUMENT_SCHEMA.names if name != "content"), "content")
LEDGER_COLUMNS = tuple(LEDGER_SCHEMA.names)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def listed(names: Sequence[str]) -> str:
    """Return the column names, quoted and separated by commas."""
    return ", ".join(f'"{name}"' for name in names)


def insert_or_replace(table: str, names: Sequence[str]) -> str:
    """Return a statement that inserts a row or replaces the row with its id; values are bound.

    Unlike SQLite's `INSERT OR REPLACE`, it never deletes a row that clashes in another column.
    """
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name != "id")
    return f"{insert(table, names)} ON CONFLICT (id) DO UPDATE SET {changes}"


def insert(table: str, names: Sequence[str]) -> str:
    """Return a statement that inserts a new row; every value is bound."""
    places = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({listed(names)}) VALUES ({places})"  # noqa: S608  # our names


def to_integer(time: datetime) -> int:
    """Return a time as milliseconds since 1970."""
    return (time - _EPOCH) // _MILLISECOND


def to_column(value: datetime | str | float | None) -> float | str | None:
    """Return a value in the form that a column holds."""
    return to_integer(value) if isinstance(value, datetime) else value


def from_columns(
    names: Sequence[str], row: Sequence[Any], times: Sequence[str]
) -> dict[str, Any]:  # fmt: skip
    """Return the values of a row by name; columns named in `times` become datetimes in UTC."""
    values = dict(zip(names, row, strict=True))
    for name in times:
        if values.get(name) is not None:
            values[name] = _EPOCH + values[name] * _MILLISECOND
    return values


def to_json(values: Sequence[str]) -> str:
    """Return a JSON array for `json_each`, so that many values are bound as a single one."""
    return json.dumps(list(values))
