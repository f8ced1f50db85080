"""A document store as version 2 of the schema had it, written with literal SQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

from stores.documents.version_1 import INSERT, ROWS

TABLES = """
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
CREATE INDEX crawl_ledger_sources ON crawl_ledger (id, source_id);
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1299148644;
PRAGMA user_version = 2;
"""

ENTRY = (
    "cccccccc-0000-5000-8000-000000000003", "s", "https://example.org/c", "page", "failed",
    1700000000000, 1, 2, 0, None, "http_500", None, None, None, None, -1,
)  # fmt: skip


def write_version_2(path: Path) -> None:
    """Write a store with two documents, one of them with a licence, and a ledger entry."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES)
        connection.executemany(INSERT, ROWS)
        connection.execute("UPDATE documents SET licence = 'MIT' WHERE id = ?", ROWS[0][:1])
        places = ", ".join("?" * len(ENTRY))
        connection.execute(f"INSERT INTO crawl_ledger VALUES ({places})", ENTRY)


def rows_of_version_2(path: Path) -> list[tuple[object, ...]]:
    """Read everything that version 2 stored, with texts as bytes."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return [
            row
            for table in ("documents", "authors", "crawl_ledger")
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY id")
        ]
