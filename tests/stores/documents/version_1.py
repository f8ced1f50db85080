"""A document store as version 1 of the schema had it, written with literal SQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

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
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1299148644;
PRAGMA user_version = 1;
"""

INSERT = """
INSERT INTO documents (id, kind, platform, link, author_id, author_full_name, title, language,
    published_at, content_hash, updated_at, deleted_at, path, repository_id, "commit", spider,
    etag, fetched_at, characters, content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

ADA = "2b3c4b3c-8d28-5d66-8e6c-1d6b8f6f7d0e"

ARTICLE = (
    "bbbbbbbb-0000-5000-8000-000000000001", "article", "blog", "https://example.org/a", ADA,
    "Ada Lovelace", "Título 🚀", "es", -14256740123, "a" * 64, 1700000000123, None, None, None,
    None, "rss", '"v1"', 1700000000000, 60_010, "\r\n nul \0 é" + "x" * 60_000,
)  # fmt: skip
GONE = (
    "aaaaaaaa-0000-5000-8000-000000000002", "post", "blog", "https://example.org/b", ADA,
    "Ada Lovelace", None, None, None, "b" * 64, 1700000000456, 1700000000789, None, None,
    None, None, None, None, 0, "",
)  # fmt: skip
ROWS = (ARTICLE, GONE)


def write_version_1(path: Path) -> None:
    """Write a store with two documents and an author."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES)
        connection.executemany(INSERT, ROWS)
        connection.execute("INSERT INTO authors VALUES (?, 'Ada', 'Lovelace')", (ADA,))


def rows_of_version_1(path: Path) -> list[tuple[object, ...]]:
    """Read everything that version 1 stored about documents, with texts as bytes."""
    names = INSERT[INSERT.index("(") + 1 : INSERT.index(")")]
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return connection.execute(f"SELECT {names} FROM documents").fetchall()
