"""A store from an older version is migrated to this version, whatever happens meanwhile."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.document_stores import make
from moodswarm.records.calls import CallRecord
from moodswarm.records.ledger import LedgerEntry, ledger_id
from moodswarm.stores.documents.protocol import UpsertResult
from moodswarm.stores.documents.sqlite.file import SqliteFile
from moodswarm.stores.documents.sqlite.schema import SCHEMA_VERSION
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore
from moodswarm.stores.errors import StoreLocked, StoreUnavailable
from stores.documents.version_1 import ARTICLE, GONE, INSERT, rows_of_version_1, write_version_1
from stores.documents.version_2 import ENTRY, rows_of_version_2, write_version_2

QUEUED = LedgerEntry(
    id=ledger_id("https://example.org/1"),
    source_id="s",
    url="https://example.org/1",
    role="page",
    state="queued",
    round=datetime(2026, 1, 1, tzinfo=UTC),
)

CALL = CallRecord(
    id="1",
    at=datetime(2026, 1, 1, tzinfo=UTC),
    profile="local",
    provider="openai",
    model="small",
    state="answered",
)

# Opens a store when told to, and kills itself just before the statement that starts with the
# text in its second argument.
OPENER = """
import os, signal, sqlite3, sys

path, deadly = sys.argv[1], sys.argv[2]
connect = sqlite3.connect

def watched(*args, **options):
    connection = connect(*args, **options)
    connection.set_trace_callback(die)
    return connection

def die(statement):
    if deadly and statement.startswith(deadly):
        os.kill(os.getpid(), signal.SIGKILL)

sqlite3.connect = watched
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore
print("ready", flush=True)
sys.stdin.readline()
SqliteDocumentStore(path).close()
"""


def start_opener(path: Path, deadly: str = "") -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", OPENER, str(path), deadly]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def layout(path: Path) -> tuple[dict[str, set[tuple[object, ...]]], set[tuple[str, str]]]:
    """Return the columns of each table (name, type, nullable, key) and the indexes, unordered."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        columns = {
            name: {row[1:] for row in connection.execute(f"PRAGMA table_info({name})")}
            for (name,) in names
        }
        indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'")
        return columns, set(indexes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "documents.db"
    write_version_1(path)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqliteDocumentStore]:
    opened = SqliteDocumentStore(path)
    yield opened
    opened.close()


# --- documents from version 1 ---


def test_documents_stay_byte_for_byte(path: Path) -> None:
    before = rows_of_version_1(path)
    SqliteDocumentStore(path).close()
    assert rows_of_version_1(path) == before
    assert version(path) == SCHEMA_VERSION


def test_documents_are_read_as_before(store: SqliteDocumentStore) -> None:
    gone, article = [d for page in store.scan_documents(include_deleted=True) for d in page]
    assert (gone.id, gone.content, gone.deleted_at is None) == (GONE[0], "", False)
    assert (article.content, article.title, article.content_hash) == (
        ARTICLE[-1],
        ARTICLE[6],
        ARTICLE[9],
    )
    assert article.licence is None
    assert [author.full_name for author in store.authors()] == ["Ada Lovelace"]


def test_a_ledger_is_gained(store: SqliteDocumentStore) -> None:
    assert list(store.ledger.scan()) == []
    store.ledger.record([QUEUED])
    assert store.ledger.get([QUEUED.id]) == [QUEUED]


def test_a_licence_can_be_stored(store: SqliteDocumentStore) -> None:
    assert store.upsert_documents([make(1, licence="MIT")]) == UpsertResult(inserted=1)
    assert store.get_documents([make(1).id])[0].licence == "MIT"


def test_a_migrated_store_has_the_tables_of_a_new_one(path: Path, tmp_path: Path) -> None:
    SqliteDocumentStore(path).close()
    SqliteDocumentStore(tmp_path / "new.db").close()
    assert layout(path) == layout(tmp_path / "new.db")


# --- a store from version 2 ---


@pytest.fixture
def path_2(tmp_path: Path) -> Path:
    path = tmp_path / "documents-2.db"
    write_version_2(path)
    return path


def test_documents_and_ledger_of_version_2_stay_byte_for_byte(path_2: Path) -> None:
    before = rows_of_version_2(path_2)
    store = SqliteDocumentStore(path_2)
    assert [entry.id for page in store.ledger.scan() for entry in page] == [ENTRY[0]]
    assert store.get_documents([ARTICLE[0]])[0].licence == "MIT"
    store.close()
    assert rows_of_version_2(path_2) == before
    assert version(path_2) == SCHEMA_VERSION


@pytest.mark.parametrize("write_old", [write_version_1, write_version_2])
def test_calls_are_gained(write_old: Callable[[Path], None], tmp_path: Path) -> None:
    write_old(tmp_path / "old.db")
    store = SqliteDocumentStore(tmp_path / "old.db")
    assert list(store.calls.scan()) == []
    store.calls.record([CALL])
    assert list(store.calls.scan()) == [[CALL]]
    store.close()


def test_a_migrated_version_2_has_the_tables_of_a_new_store(path_2: Path, tmp_path: Path) -> None:
    SqliteDocumentStore(path_2).close()
    SqliteDocumentStore(tmp_path / "new.db").close()
    assert layout(path_2) == layout(tmp_path / "new.db")


@pytest.mark.parametrize(
    "moment", ["CREATE TABLE model_calls", "CREATE INDEX model_calls", "PRAGMA user_version ="]
)
def test_a_kill_midway_leaves_version_2(path_2: Path, moment: str) -> None:
    before = rows_of_version_2(path_2)
    opener = start_opener(path_2, deadly=moment)
    opener.communicate("go\n")
    assert opener.returncode == -signal.SIGKILL
    assert (version(path_2), rows_of_version_2(path_2)) == (2, before)
    SqliteDocumentStore(path_2).close()
    assert (version(path_2), rows_of_version_2(path_2)) == (SCHEMA_VERSION, before)


# --- what may happen during a migration ---


@pytest.mark.parametrize(
    "moment", ["ALTER TABLE", "CREATE INDEX crawl_ledger", "PRAGMA user_version =", "COMMIT"]
)
def test_a_kill_midway_leaves_version_1(path: Path, moment: str) -> None:
    before = rows_of_version_1(path)
    opener = start_opener(path, deadly=moment)
    opener.communicate("go\n")
    assert opener.returncode == -signal.SIGKILL
    assert (version(path), rows_of_version_1(path)) == (1, before)
    SqliteDocumentStore(path).close()
    assert (version(path), rows_of_version_1(path)) == (SCHEMA_VERSION, before)


def test_processes_that_migrate_at_once_all_succeed(path: Path) -> None:
    openers = [start_opener(path) for _ in range(4)]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    for opener in openers:
        opener.communicate()
    assert [opener.returncode for opener in openers] == [0] * 4
    assert version(path) == SCHEMA_VERSION


def test_an_older_program_that_has_the_file_open_goes_on(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as older:
        older.execute("DELETE FROM documents")
        store = SqliteDocumentStore(path)
        older.execute(INSERT, ARTICLE)
        assert store.status().counts["article"] == 1
        store.close()


def test_a_writer_that_does_not_end_is_named(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match=r"writing to .*documents\.db for more than 0\.05 s"):
            SqliteDocumentStore(path, busy_timeout_seconds=0.05)
    assert version(path) == 1


# --- any file ---


def open_file(path: Path, version: int, *migrations: str) -> None:
    SqliteFile(
        path,
        schema="CREATE TABLE numbers (n INTEGER)",
        migrations=dict(enumerate(migrations, start=2)),
        application_id=7,
        version=version,
        busy_timeout_seconds=1,
    ).close()


def numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM numbers ORDER BY rowid")]


STEPS = ("INSERT INTO numbers VALUES (2)", "INSERT INTO numbers VALUES (3)")


def test_every_version_between_is_gone_through_in_order_and_once(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    open_file(path, 1)
    for _ in range(2):
        open_file(path, 3, *STEPS)
    assert (numbers(path), version(path)) == ([2, 3], 3)


def test_a_new_file_needs_no_migration(tmp_path: Path) -> None:
    open_file(tmp_path / "file.db", 3, *STEPS)
    assert numbers(tmp_path / "file.db") == []


def test_a_step_that_fails_undoes_those_before(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    open_file(path, 1)
    with pytest.raises(StoreUnavailable, match="no such table: nowhere"):
        open_file(path, 3, STEPS[0], "INSERT INTO nowhere VALUES (3)")
    assert (numbers(path), version(path)) == ([], 1)
