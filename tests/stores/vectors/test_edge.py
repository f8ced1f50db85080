"""Promises that only the embedded store makes: files, locks, crashes, forks and its own index."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from moodswarm.stores.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked
from moodswarm.stores.vectors.edge.store import EdgeVectorStore
from moodswarm.stores.vectors.opening import open_vector_store

DIM = 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vectors"


@pytest.fixture
def store(path: Path) -> Iterator[EdgeVectorStore]:
    store = EdgeVectorStore(path, lock_timeout=0, index_from=500)
    yield store
    store.close()


def ids(first: int, count: int) -> list[str]:
    return [str(uuid.uuid5(uuid.NAMESPACE_URL, str(n))) for n in range(first, first + count)]


def points(count: int, first: int = 0, revision: str = "one") -> pa.Table:
    """Build points in 20 clusters, like texts on 20 topics; `page` tells the batches apart."""
    rng = np.random.default_rng(first)
    topics = np.random.default_rng(0).standard_normal((20, DIM))
    rows = topics[rng.integers(0, 20, count)] + 0.7 * rng.standard_normal((count, DIM))
    flat = pa.array(rows.astype(np.float32).ravel())
    return pa.table(
        {
            "id": ids(first, count),
            "vector": pa.FixedSizeListArray.from_arrays(flat, DIM),
            "page": [str(first)] * count,
            "parity": [str(n % 2) for n in range(count)],
            "revision": [revision] * count,
        }
    )


def fill(store: EdgeVectorStore, count: int = 50) -> pa.Table:
    table = points(count)
    store.ensure_collection("articles", DIM, ["page", "parity"])
    store.upsert_points("articles", table)
    return table


def matrix(table: pa.Table) -> np.ndarray:
    rows = np.array(table["vector"].to_pylist(), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


# Files


def test_reading_what_is_not_there_creates_nothing(path: Path) -> None:
    store = EdgeVectorStore(path)
    assert store.collections() == []
    assert store.count("articles") == 0
    assert list(store.scroll("articles")) == []
    store.optimize("articles")
    store.flush()
    store.close()
    assert not path.exists()


def test_points_survive_closing(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    store.close()
    again = open_vector_store({"backend": "edge", "path": str(path), "lock_timeout": 0})
    assert again.count("articles", {"parity": ["1"]}) == 25
    again.close()


def test_a_collection_loads_when_it_is_used(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    store.ensure_collection("index", None)
    store.close()
    (path / "collections" / "articles" / "collection.json").unlink()
    again = EdgeVectorStore(path, lock_timeout=0)
    assert again.count("index") == 0
    with pytest.raises(StoreCorrupt):
        again.count("articles")
    again.close()


def test_a_folder_moved_while_closed_is_still_the_store(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    store.close()
    moved = EdgeVectorStore(path.rename(path.with_name("moved")), lock_timeout=0)
    assert moved.count("articles") == 50
    moved.close()


def test_a_crash_while_a_collection_is_created_leaves_room_for_it(
    path: Path, store: EdgeVectorStore
) -> None:
    draft = path / "collections" / ".new-articles" / "segments"
    draft.mkdir(parents=True)
    (draft / "half").write_bytes(b"\0")
    assert store.collections() == []
    fill(store)
    assert store.count("articles") == 50
    assert [p.name for p in (path / "collections").iterdir()] == ["articles"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("collection.json", b"{"),
        ("edge_config.json", b"{"),
        ("segments/*/segment.json", b""),
        # The engine panics if this file is damaged.
        ("segments/*/vector_storage/deleted/status.dat", b"\0" * 4),
        # With one of these two, the engine opens silently, although half or all points are gone.
        ("segments/*/mutable_id_tracker.mappings", b""),
        ("segments/*/version.info", None),
    ],
)
def test_unreadable_files_name_folder_and_remedy(
    path: Path, store: EdgeVectorStore, file: str, content: bytes | None
) -> None:
    fill(store)
    store.close()
    (found,) = (path / "collections" / "articles").glob(file)
    found.unlink() if content is None else found.write_bytes(content)
    again = EdgeVectorStore(path, lock_timeout=0)
    remedy = rf"collections/articles cannot be read: .*Remove the folder {path} and run `kedro run"
    with pytest.raises(StoreCorrupt, match=remedy):
        list(again.scroll("articles"))
    again.close()


def test_garbage_found_later_is_reported_too(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    store.close()
    (found,) = (path / "collections" / "articles").glob("segments/*/payload_storage/page_0.dat")
    found.write_bytes(b"\xff" * 4096 + found.read_bytes()[4096:])
    again = EdgeVectorStore(path, lock_timeout=0)
    with pytest.raises(StoreCorrupt, match="LZ4"):
        list(again.scroll("articles"))
    again.close()


def test_an_unreadable_collection_can_be_deleted(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    store.close()
    (path / "collections" / "articles" / "collection.json").unlink()
    again = EdgeVectorStore(path, lock_timeout=0)
    again.delete_collection("articles")
    assert again.collections() == []
    assert list((path / "collections").iterdir()) == []
    again.close()


# Space


def test_a_write_that_would_fill_the_disk_is_refused(
    store: EdgeVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    free = shutil.disk_usage("/")._replace(free=33 * 2**20 - 900_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(StoreFull, match=r"32\.1 MiB are free, 32\.\d MiB are needed"):
        store.upsert_points("articles", points(5_000, first=50))
    monkeypatch.undo()
    assert store.count("articles") < 5_050


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_an_error_and_loses_nothing(small_disk: Path) -> None:
    store = EdgeVectorStore(small_disk / "vectors", lock_timeout=0)
    fill(store, 1_000)
    store.flush()
    with pytest.raises(StoreFull, match="no space to write to"):  # noqa: PT012
        for page in range(1, 1_000):
            store.upsert_points("articles", points(1_000, first=1_000 * page))
            store.flush()
    assert store.count("articles") == 1_000 * page
    store.close()
    again = EdgeVectorStore(small_disk / "vectors", lock_timeout=0)
    assert again.count("articles") == 1_000 * page
    again.close()


# One process, many stores


def test_stores_on_one_path_share_it(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    other = EdgeVectorStore(path / ".." / path.name, lock_timeout=0)
    assert other.count("articles") == 50
    store.close()
    other.upsert_points("articles", points(10, first=50))
    assert other.count("articles") == 60
    other.close()


def test_the_last_store_to_close_releases_the_lock(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    other = EdgeVectorStore(path, lock_timeout=0)
    other.count("articles")
    store.close()
    assert (path / "store.lock.json").exists()
    other.close()
    assert not (path / "store.lock.json").exists()


def test_threads_open_write_search_and_close_together(path: Path) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                store = EdgeVectorStore(path, lock_timeout=0)
                store.ensure_collection("articles", DIM, ["page"])
                first = 1_000 * number + 20 * turn
                store.upsert_points("articles", points(20, first=first))
                assert store.count("articles", {"page": [str(first)]}) == 20
                store.search("articles", np.ones(DIM, np.float32), 5)
                store.close()
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = EdgeVectorStore(path, lock_timeout=0)
    assert store.count("articles") == 4 * 5 * 20
    store.close()


# Several processes

CHILD = """
import sys
from moodswarm.stores.vectors.edge.store import EdgeVectorStore
store = EdgeVectorStore(sys.argv[1], lock_timeout=0)
"""


def run(code: str, path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", CHILD + code, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_second_process_is_refused_and_harms_nothing(path: Path, store: EdgeVectorStore) -> None:
    fill(store)
    child = run("store.count('articles')", path)
    assert f"StoreLocked: the store at {path} is held by pid {os.getpid()} (" in child.stderr
    store.upsert_points("articles", points(10, first=50))
    store.flush()
    assert store.count("articles") == 60


def test_a_process_that_never_closes_flushes_when_it_ends(
    path: Path, store: EdgeVectorStore
) -> None:
    fill(store)
    store.close()
    child = run("store.delete_points('articles', {'parity': ['1']})", path)
    assert child.returncode == 0, child.stderr
    again = EdgeVectorStore(path, lock_timeout=0)
    assert again.count("articles") == 25
    again.close()


FORK = """
import os
store.ensure_collection("index", None)
if os.fork() == 0:
    for attempt in (store, EdgeVectorStore(sys.argv[1], lock_timeout=0)):
        try:
            attempt.count("index")
        except Exception as error:
            print(type(error).__name__, error, flush=True)
    sys.exit(0)
print("child ended with", os.wait()[1])
store.ensure_collection("later", None)
store.close()
print([c.name for c in store.__class__(sys.argv[1]).collections()])
"""


def test_a_forked_child_leaves_its_parents_store_alone(path: Path) -> None:
    lines = run(FORK, path).stdout.splitlines()
    assert lines[0].startswith("StoreError the store at")
    assert "was opened before this process was forked" in lines[0]
    assert lines[1].startswith("StoreLocked the store at")
    assert lines[2:] == ["child ended with 0", "['index', 'later']"]


# Crashes

WRITER = """
import pyarrow as pa, numpy as np, uuid
store.ensure_collection("articles", 8, ["page", "document"])
page = store.count("index")
store.ensure_collection("index", None)
while True:
    rows = np.random.default_rng(page).standard_normal((200, 8)).astype("f4")
    ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{page}/{n}")) for n in range(200)]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 8)
    marks = {"page": [str(page)] * 200, "document": [str(n % 5) for n in range(200)]}
    store.upsert_points("articles", pa.table({"id": ids, "vector": vectors, **marks}))
    store.delete_points("articles", {"page": [str(page)]}, unless={"document": list("0123")})
    store.flush()
    store.upsert_points("index", pa.table({"id": ids[:1], "page": [str(page)]}))
    store.flush()
    print(page, flush=True)
    page += 1
    if page % 7 == 0:
        store.optimize("articles")
"""


def test_what_was_flushed_survives_being_killed_at_any_moment(path: Path) -> None:
    rng = random.Random(0)
    acknowledged = -1
    for _ in range(4):
        command = [sys.executable, "-c", CHILD + WRITER, str(path)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(rng.randrange(1, 12))]
        time.sleep(rng.random() * 0.05)
        child.send_signal(signal.SIGKILL)
        lines += child.communicate()[0].splitlines(keepends=True)
        acknowledged = max(int(line) for line in lines if line.endswith("\n"))
        store = EdgeVectorStore(path, lock_timeout=0)
        assert store.count("index") - acknowledged in (1, 2)
        for page in range(acknowledged + 1):
            assert store.count("articles", {"page": [str(page)]}) == 160
        pages = [row["page"] for rows in store.scroll("articles") for row in rows]
        assert all(pages.count(str(page)) == 160 for page in range(acknowledged + 1))
        store.close()


REPLACER = """
import os, signal, uuid, numpy as np, pyarrow as pa
ids = [str(uuid.uuid5(uuid.NAMESPACE_URL, str(n))) for n in range(1_500)]
vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(1_500 * 32, "f4")), 32)
store.upsert_points("articles", pa.table({"id": ids, "vector": vectors}))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("optimized", [False, True])
def test_a_replacement_cut_short_leaves_the_old_point(
    path: Path, store: EdgeVectorStore, optimized: bool
) -> None:
    fill(store, 2_000)
    if optimized:
        store.optimize("articles")
    store.close()
    assert run(REPLACER, path).returncode == -signal.SIGKILL
    again = EdgeVectorStore(path, lock_timeout=0)
    assert again.count("articles") == again.count("articles", {"revision": ["one"]}) == 2_000
    again.close()


@pytest.mark.parametrize(
    "name",
    ["payload_storage/tracker.dat", "payload_storage/page_0.dat", "vectors/chunk_0.mmap"],
)
@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_file_cut_short_is_noticed_before_anything_is_read(
    path: Path, store: EdgeVectorStore, name: str, left: float
) -> None:
    fill(store)
    store.close()
    [file] = (path / "collections" / "articles").rglob(f"**/{name}")
    os.truncate(file, int(file.stat().st_size * left))
    again = EdgeVectorStore(path, lock_timeout=0)
    with pytest.raises(StoreCorrupt, match=f"{name} had .* bytes when it was flushed"):
        again.count("articles")
    again.close()


# The index


def test_optimize_indexes_from_the_threshold_on(store: EdgeVectorStore) -> None:
    fill(store, 400)
    store.optimize("articles")
    assert store.collections()[0].indexed_vectors == 0
    store.upsert_points("articles", points(2_000, first=400))
    store.optimize("articles")
    assert store.collections()[0].indexed_vectors == 2_400


@pytest.mark.parametrize("match", [None, {"parity": ["1"]}, {"page": ["3000"], "parity": ["0"]}])
def test_the_index_finds_what_a_scan_finds(
    store: EdgeVectorStore, match: dict[str, list[str]] | None
) -> None:
    fill(store, 3_000)
    store.upsert_points("articles", points(300, first=3_000))
    store.optimize("articles")
    queries = matrix(points(50, first=9_000))
    for query in queries:
        indexed = {hit.id for hit in store.search("articles", query, 10, match)}
        exact = {hit.id for hit in store.search("articles", query, 10, match, exact=True)}
        assert len(indexed & exact) >= 9


def test_indexed_points_can_be_replaced_and_deleted(path: Path, store: EdgeVectorStore) -> None:
    fill(store, 2_000)
    store.optimize("articles")
    store.upsert_points("articles", points(100, revision="two"))
    store.delete_points("articles", {"parity": ["0"]}, unless={"revision": ["two"]})
    store.close()
    again = EdgeVectorStore(path, lock_timeout=0)
    assert again.count("articles") == 1_000 + 50
    assert again.count("articles", {"revision": ["two"]}) == 100
    found = again.search("articles", matrix(points(100))[7], 1)[0]
    assert (found.id, found.payload["revision"]) == (ids(7, 1)[0], "two")
    again.close()


def test_searches_are_the_same_every_time(store: EdgeVectorStore) -> None:
    table = fill(store, 2_000)
    store.optimize("articles")
    query = matrix(table)[3] + 0.1
    first = store.search("articles", query, 20)
    assert all(store.search("articles", query, 20) == first for _ in range(5))


def test_search_goes_on_while_points_are_written(store: EdgeVectorStore) -> None:
    fill(store, 500)
    done = threading.Event()
    found: list[int] = []

    def search() -> None:
        while not done.is_set():
            found.append(len(store.search("articles", np.ones(DIM, np.float32), 10)))

    thread = threading.Thread(target=search)
    thread.start()
    for first in range(500, 2_500, 500):
        store.upsert_points("articles", points(500, first=first))
    done.set()
    thread.join()
    assert set(found) == {10}


def test_a_locked_store_is_free_again_once_its_opening_failed(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", CHILD + "store.ensure_collection('index', None); input()", path],
        stdin=subprocess.PIPE,
    )
    while not (path / "collections" / "index").exists():
        time.sleep(0.01)
    store = EdgeVectorStore(path, lock_timeout=0)
    with pytest.raises(StoreLocked, match=f"pid {holder.pid}"):
        store.open()
    with pytest.raises(StoreLocked):
        store.count("index")
    holder.communicate(b"\n")
    assert store.count("index") == 0
    store.close()


def test_a_closed_store_says_so(store: EdgeVectorStore) -> None:
    fill(store)
    store.close()
    with pytest.raises(StoreError, match="is closed; open it again"):
        store.upsert_points("articles", points(1))
