"""Promises of the SQLite store beyond the contract: durability, sharing, helpful errors."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.document_stores import make
from contracts.model_calls import make as make_call
from moodswarm.stores.documents.opening import open_document_store
from moodswarm.stores.documents.sqlite.schema import SCHEMA_VERSION
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore
from moodswarm.stores.errors import StoreCorrupt, StoreFull, StoreLocked, StoreUnavailable

# Upserts batches forever, and prints which batches were acknowledged.
WRITER = """
import sys
from moodswarm.records import Document
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore

path, first, batches = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = SqliteDocumentStore(path)
for batch in range(first, first + batches):
    store.upsert_documents([
        Document.create(
            link=f"https://example.org/{batch}/{number}", kind="post", platform="blog",
            author_full_name="Ada Lovelace", content="text " * 500,
        )
        for number in range(10)
    ])
    print(batch, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "documents.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteDocumentStore]:
    opened = SqliteDocumentStore(path)
    yield opened
    opened.close()


def start_writer(path: Path, first: int, batches: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(path), str(first), str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_folders_on_the_way_are_created(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "documents.db"
    open_document_store({"backend": "sqlite", "path": path}).close()
    assert path.is_file()


def test_documents_are_there_after_closing_and_opening(path: Path) -> None:
    for _ in range(2):
        store = SqliteDocumentStore(path)
        store.upsert_documents([make(1)])
        store.close()
    assert store.status().counts["article"] == 1
    store.close()


def test_kill_loses_no_acknowledged_batch_and_leaves_no_part_of_one(path: Path) -> None:
    acknowledged = set()
    for first in (0, 1000, 2000):
        writer = start_writer(path, first, batches=1000)
        assert writer.stdout is not None
        for _ in range(5):
            acknowledged.add(int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in writer.stdout}
        writer.stdout.close()
        writer.wait()
    store = SqliteDocumentStore(path)
    batches = [d.link.split("/")[-2] for page in store.scan_documents() for d in page]
    store.close()
    assert acknowledged <= {int(batch) for batch in batches}
    assert {batches.count(batch) for batch in set(batches)} == {10}


def test_three_processes_write_at_once_and_lose_nothing(path: Path) -> None:
    writers = [start_writer(path, first, batches=20) for first in (0, 100, 200)]
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    store = SqliteDocumentStore(path)
    counts = store.status().counts
    store.close()
    assert (counts["post"], counts["authors"]) == (600, 1)


def test_threads_share_a_store(store: SqliteDocumentStore) -> None:
    def write(start: int) -> None:
        for number in range(start, start + 20):
            store.upsert_documents([make(number)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.status().counts["article"] == 40


def test_commits_are_synced_to_disk(store: SqliteDocumentStore) -> None:
    connection = store._file._connection()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


HASHES = """SELECT id, kind, content_hash FROM documents INDEXED BY document_states
    WHERE id > '' AND deleted_at IS NULL ORDER BY id LIMIT 9"""
COUNTS = """SELECT kind, deleted_at IS NOT NULL, count(*) FROM documents
    INDEXED BY document_states GROUP BY 1, 2"""


@pytest.mark.parametrize("query", [HASHES, COUNTS])
def test_hashes_and_counts_come_from_the_index(store: SqliteDocumentStore, query: str) -> None:
    plan = store._file._connection().execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    assert "COVERING INDEX document_states" in plan[0][3]


def test_a_scan_of_sources_follows_an_index_and_sorts_nothing(store: SqliteDocumentStore) -> None:
    executed: list[str] = []
    connection = store._file._connection()
    connection.set_trace_callback(executed.append)
    list(store.ledger.scan(["a", "b"]))
    connection.set_trace_callback(None)
    (query,) = [statement for statement in executed if "source_id" in statement]
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert "USING INDEX crawl_ledger_sources (id>?)" in steps[0]
    assert not [step for step in steps if "ORDER BY" in step]


def test_a_scan_of_calls_follows_the_index_on_time_and_sorts_nothing(
    store: SqliteDocumentStore,
) -> None:
    executed: list[str] = []
    connection = store._file._connection()
    connection.set_trace_callback(executed.append)
    list(store.calls.scan(datetime(2026, 1, 1, tzinfo=UTC)))
    connection.set_trace_callback(None)
    (query,) = [statement for statement in executed if "model_calls" in statement]
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert "USING INDEX model_calls_times ((at,id)>(?,?))" in steps[0]
    assert not [step for step in steps if "ORDER BY" in step]


def test_calls_wait_for_another_writer_and_are_not_lost(
    store: SqliteDocumentStore, path: Path
) -> None:
    recorder = threading.Thread(target=store.calls.record, args=([make_call()],))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorder.start()
        recorder.join(0.2)
        assert recorder.is_alive()
        other.rollback()
    recorder.join()
    assert list(store.calls.scan()) == [[make_call()]]


def test_calls_that_wait_too_long_say_so_and_can_be_recorded_again(path: Path) -> None:
    store = SqliteDocumentStore(path, busy_timeout_seconds=0.05)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match=r"writing to .*documents\.db for more than 0\.05 s"):
            store.calls.record([make_call()])
    store.calls.record([make_call()])
    assert list(store.calls.scan()) == [[make_call()]]
    store.close()


def test_readers_do_not_wait_for_a_writer(store: SqliteDocumentStore, path: Path) -> None:
    store.upsert_documents([make(1)])
    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM documents")
        assert len(store.get_documents([make(1).id])) == 1
        other.rollback()


def test_a_writer_that_waits_too_long_says_so(path: Path) -> None:
    store = SqliteDocumentStore(path, busy_timeout_seconds=0.05)
    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match=r"writing to .*documents\.db for more than 0\.05 s"):
            store.upsert_documents([make(1)])
        other.rollback()
    store.close()


def test_a_full_disk_is_named_and_the_batch_is_not_kept(store: SqliteDocumentStore) -> None:
    store.upsert_documents([make(1)])
    store._file._connection().execute("PRAGMA max_page_count = 20")
    with pytest.raises(StoreFull, match=r"no space left to write .*documents\.db"):
        store.upsert_documents([make(2), make(3, content="x" * 1_000_000)])
    assert store.status().counts["article"] == 1


def test_a_file_that_is_not_a_database_is_corrupt(path: Path) -> None:
    path.write_bytes(b"This is not what it was. " * 200)
    with pytest.raises(StoreCorrupt, match=r"documents\.db is damaged .* import the latest export"):
        SqliteDocumentStore(path)


def test_damage_inside_a_file_is_corrupt(path: Path) -> None:
    store = SqliteDocumentStore(path)
    store.upsert_documents([make(number, content="x" * 20_000) for number in range(20)])
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(StoreCorrupt, match="is damaged"):
        list(SqliteDocumentStore(path).scan_documents())


def test_text_that_is_no_longer_utf8_is_corrupt(store: SqliteDocumentStore) -> None:
    store.upsert_documents([make(1)])
    store._file._connection().execute("UPDATE documents SET content = CAST(x'ff' AS TEXT)")
    with pytest.raises(StoreCorrupt, match="is damaged"):
        store.get_documents([make(1).id])


def test_a_newer_schema_is_refused(store: SqliteDocumentStore, path: Path) -> None:
    newer = SCHEMA_VERSION + 1
    store._file._connection().execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(StoreUnavailable, match=f"version is {newer}.*upgrade moodswarm"):
        SqliteDocumentStore(path)


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="of another program; choose another path"):
        SqliteDocumentStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("where", [".", "file/documents.db"])
def test_a_place_that_cannot_be_opened_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=f"{tmp_path}.* cannot be opened"):
        SqliteDocumentStore(tmp_path / where)


def test_a_file_that_became_read_only_is_unavailable(
    store: SqliteDocumentStore, path: Path
) -> None:
    store._file._connection().execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match=r"documents\.db cannot be .* written"):
        store.upsert_documents([make(1)])


def test_a_closed_store_opens_again_when_used(store: SqliteDocumentStore) -> None:
    store.close()
    assert store.upsert_documents([make(1)]).inserted == 1


def test_an_unknown_backend_is_named() -> None:
    with pytest.raises(ValueError, match="unknown document store backend 'oracle'; use"):
        open_document_store({"backend": "oracle"})


@pytest.mark.parametrize("bytes_lost", [1, 4095, 4096, 10_000])
def test_a_file_that_lost_its_end_is_not_opened(
    path: Path, store: SqliteDocumentStore, bytes_lost: int
) -> None:
    store.upsert_documents([make(number) for number in range(50)])
    store.close()
    os.truncate(path, path.stat().st_size - bytes_lost)
    with pytest.raises(StoreCorrupt, match="is damaged"):
        SqliteDocumentStore(path)


def test_a_page_that_is_overwritten_is_found_by_verifying(
    path: Path, store: SqliteDocumentStore
) -> None:
    store.upsert_documents([make(number) for number in range(50)])
    store.verify()
    store.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 4096)
        file.write(b"\xff" * 4096)
    damaged = SqliteDocumentStore(path)
    with pytest.raises(StoreCorrupt, match="import the latest export"):
        damaged.verify()
    damaged.close()


def test_a_store_shows_where_it_is_and_what_it_holds(
    path: Path, store: SqliteDocumentStore
) -> None:
    store.upsert_documents([make(1)])
    shown = repr(store)
    assert str(path) in shown
    assert "article 1" in shown
