"""Import: documents are stored as the files state them, and every bad line is reported."""

import gzip
import io
import json
import random
import re
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.document_stores import make
from imports.archives.builders import tweet, x, zipped
from imports.loading import ARTICLE, EARLY, GOOD, LATE, exported, load, only, reasons, text
from moodswarm.imports.importing import import_archives, import_documents
from moodswarm.imports.lines import Limits
from moodswarm.stores.documents.protocol import UpsertResult
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore

# --- what an import writes ---


def test_lines_without_ids_are_enough_and_import_twice_adds_once(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    first = load(store, tmp_path / "hand.jsonl", [GOOD])
    second = load(store, tmp_path / "hand.jsonl", [GOOD])
    assert (first.result.inserted, second.result) == (1, UpsertResult(unchanged=1))


def test_ids_and_hashes_in_a_file_are_computed_anew(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    load(store, tmp_path / "x.jsonl", [{**GOOD, "id": "x", "author_id": "x", "content_hash": "x"}])
    assert only(store) == make(**GOOD, updated_at=only(store).updated_at)


def test_an_old_export_neither_overwrites_nor_revives_what_is_newer(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    old = [make(n, updated_at=EARLY) for n in range(3)]
    store.restore_documents(old)
    backup = exported(store)
    store.upsert_documents([make(0, content="newer")])
    store.tombstone_documents([make(1).id], LATE)
    before = exported(store)
    report = load(store, tmp_path / "backup.jsonl", backup)
    assert (report.result, report.kept_newer) == (UpsertResult(unchanged=3), 2)
    assert exported(store) == before


def test_a_newer_export_brings_an_older_store_up_to_date(
    store: SqliteDocumentStore, other: SqliteDocumentStore, tmp_path: Path
) -> None:
    other.restore_documents([make(n, updated_at=EARLY) for n in range(3)])
    store.restore_documents([make(n, updated_at=EARLY) for n in range(3)])
    store.upsert_documents([make(0, content="newer")])
    store.tombstone_documents([make(1).id], LATE)
    report = load(other, tmp_path / "backup.jsonl", exported(store))
    assert report.result == UpsertResult(changed=2, unchanged=1)
    assert exported(other) == exported(store)


def test_times_without_a_zone_are_utc(store: SqliteDocumentStore, tmp_path: Path) -> None:
    load(store, tmp_path / "x.jsonl", [{**GOOD, "published_at": "2024-05-01T12:00:00"}])
    assert only(store).published_at == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_progress_is_told_after_each_batch(store: SqliteDocumentStore, tmp_path: Path) -> None:
    lines = [{**GOOD, "link": f"https://example.org/{n}"} for n in range(5)]
    seen: list[int] = []
    load(store, tmp_path / "x.jsonl", lines, batch_documents=2, progress=seen.append)
    assert seen == [2, 4, 5]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("wrap", ["{}\n", "[{}]"])
def test_a_dash_is_standard_input(
    store: SqliteDocumentStore,
    monkeypatch: pytest.MonkeyPatch,
    wrap: str,
    pack: Callable[[bytes], bytes],
) -> None:
    data = io.BytesIO(pack(wrap.replace("{}", json.dumps(GOOD)).encode()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    assert import_documents(store, ["-"]).result.inserted == 1
    assert not data.closed


# --- what an import rejects ---

BAD_LINES = {
    "broken": ('{"link": "https://example.org/', "broken JSON: Unterminated string"),
    "no object": ("[1, 2]", "expected a JSON object, found list"),
    "number": ("42", "expected a JSON object, found int 42"),
    "deep": ("[" * 100_000, "broken JSON: maximum recursion depth"),
    "missing field": (json.dumps({**GOOD, "platform": None}), "platform: expected str, found None"),
    "wrong type": (json.dumps({**GOOD, "title": 7}), "title: expected str or null, found int 7"),
    "unknown field": (json.dumps({**GOOD, "mood": "blue"}), r"unknown fields \['mood'\]"),
    "a field named cls": (json.dumps({**GOOD, "cls": 1}), r"unknown fields \['cls'\]"),
    "kind": (json.dumps({**GOOD, "kind": "song"}), "kind: expected one of .* found 'song'"),
    "link": (json.dumps({**GOOD, "link": "ftp://x"}), "link 'ftp://x' is not an absolute http"),
    "time": (json.dumps({**GOOD, "published_at": "May"}), "published_at: expected ISO 8601"),
    "time type": (json.dumps({**GOOD, "updated_at": 5}), "updated_at: expected ISO.* found 5"),
    "time range": (
        json.dumps({**GOOD, "published_at": "0001-01-01T00:00:00+05:00"}),
        "published_at: .* outside the years",
    ),
    "surrogate": (json.dumps({**GOOD, "content": "\ud800"}), "content: broken Unicode"),
    "author": ('{"author": ""}', "author: author_full_name is empty"),
    "author type": ('{"author": 7}', "^author: expected a name, found int 7$"),
    "long": (" " * 300_000 + json.dumps(GOOD), "longer than 0.190735 MiB"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_named_and_the_good_ones_around_it_are_kept(
    store: SqliteDocumentStore, tmp_path: Path, line: str, reason: str
) -> None:
    good = [json.dumps({**GOOD, "link": f"https://example.org/{n}"}) for n in range(2)]
    data = f"{good[0]}\n\n{line}\r\n{good[1]}\n"
    report = load(store, tmp_path / "x.jsonl", data, limits=Limits(line=200_000))
    assert report.failed
    assert report.result == UpsertResult(inserted=2)
    (failure,) = report.rejected
    assert re.search(reason, failure.reason)
    assert str(failure).startswith(f"{tmp_path / 'x.jsonl'}:3: ")


def test_bytes_that_are_not_utf8_are_named(store: SqliteDocumentStore, tmp_path: Path) -> None:
    data = json.dumps(GOOD).encode() + b'\n{"link": "\xff"}\n'
    report = load(store, tmp_path / "x.jsonl", data)
    assert reasons(report) == [(2, "not UTF-8: invalid start byte at byte 11")]
    assert report.result.inserted == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_in_utf_16_is_named_once_with_the_remedy(
    store: SqliteDocumentStore, tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    lines = f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n"
    report = load(store, tmp_path / "x.jsonl", pack(lines.encode(encoding)))
    assert reasons(report) == [
        (0, "is UTF-16 or UTF-32; convert it: iconv -f UTF-16 -t UTF-8"),
    ]


def test_a_byte_order_mark_does_no_harm(store: SqliteDocumentStore, tmp_path: Path) -> None:
    assert load(store, tmp_path / "x.jsonl", "\ufeff" + json.dumps(GOOD)).result.inserted == 1
    assert not load(store, tmp_path / "x.json", "\ufeff" + json.dumps([ARTICLE])).failed


def test_duplicates_name_the_place_of_the_first(store: SqliteDocumentStore, tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n")
    two.write_text(
        json.dumps({**GOOD, "link": "http://example.org/good/?utm_source=x", "content": "!"})
    )
    report = import_documents(store, [one, two])
    duplicate = f"duplicate of {one}:1 (https://example.org/good)"
    assert [str(f) for f in report.rejected] == [f"{one}:2: {duplicate}", f"{two}:1: {duplicate}"]
    assert only(store).content == "Good."


@pytest.mark.parametrize("data", ["", "\n \n"])
def test_an_empty_file_is_named(store: SqliteDocumentStore, tmp_path: Path, data: str) -> None:
    report = load(store, tmp_path / "x.jsonl", data)
    assert str(report.rejected[0]).startswith(f"{tmp_path / 'x.jsonl'}: is empty; expected JSON")


def test_unreadable_files_are_named_and_the_others_read(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    good = tmp_path / "good.jsonl"
    good.write_text(json.dumps(GOOD))
    report = import_documents(store, [tmp_path / "nowhere.jsonl", tmp_path, good])
    assert reasons(report) == [(0, "No such file or directory"), (0, "Is a directory")]
    assert report.result.inserted == 1


def test_a_cut_off_gzip_file_yields_its_beginning(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    noise = random.Random(1)
    lines = [
        {**GOOD, "link": f"https://example.org/{n}", "content": noise.randbytes(1000).hex()}
        for n in range(400)
    ]
    packed = gzip.compress("\n".join(map(json.dumps, lines)).encode())
    report = load(store, tmp_path / "x.jsonl.gz", packed[: len(packed) // 2])
    assert 0 < report.result.inserted < 400
    assert "cannot be read any further: Compressed file ended" in report.rejected[-1].reason


def test_a_document_that_the_store_refuses_is_named_with_its_line(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    store.upsert_documents([make(**GOOD)])
    store._file._connection().execute("UPDATE documents SET id = 'another'")
    report = load(store, tmp_path / "x.jsonl", [{**GOOD, "link": "https://e.org/1"}, GOOD])
    assert (report.read, report.result.inserted) == (2, 1)
    assert reasons(report)[0][0] == 2
    assert "stored under another id" in reasons(report)[0][1]


def test_an_entry_of_an_archive_that_the_store_refuses_is_named_with_its_place(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "x.zip", x(tweet(1, "One."), tweet(2, "Two.")))
    import_archives(store, "x", [path])
    store._file._connection().execute(
        "UPDATE documents SET id = 'another' WHERE link LIKE '%/status/2'"
    )
    report = import_archives(store, "x", [path])
    (failure,) = report.rejected
    assert str(failure).startswith(f"{path}: tweet 2: ")
    assert (report.read, report.result.unchanged) == (2, 1)


def test_memory_does_not_grow_with_the_size_of_a_file(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("w") as file:
        for n in range(1000):
            line = {**GOOD, "link": f"https://example.org/{n}", "content": f"{n} " * 5000}
            file.write(f"{json.dumps(line)}\n")
    tracemalloc.start()
    import_documents(store, [path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 2


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=st.sampled_from([b"", b"[", b"{", b"[{}", b"\x1f\x8b"]),
    data=st.binary(max_size=40) | text.map(str.encode),
)
def test_no_bytes_can_stop_an_import(
    store: SqliteDocumentStore, tmp_path: Path, data: bytes, start: bytes
) -> None:
    report = load(store, tmp_path / "x.jsonl", start + data)
    assert report.read == 0
