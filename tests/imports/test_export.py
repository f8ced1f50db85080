"""Export: importing an exported file gives an identical store."""

import gzip
import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.document_stores import make
from imports.loading import EARLY, LATE, exported, load, text
from moodswarm.imports.export import export_documents
from moodswarm.imports.importing import ImportReport, import_documents
from moodswarm.records import KINDS
from moodswarm.records.jsonl import document_from_values, document_to_line
from moodswarm.stores.documents.protocol import UpsertResult
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore
from moodswarm.stores.errors import StoreUnavailable


def test_an_export_has_a_line_for_every_document_ordered_by_id(store: SqliteDocumentStore) -> None:
    store.upsert_documents([make(n, deleted_at=LATE if n == 2 else None) for n in range(5)])
    lines = exported(store).decode().splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == sorted(make(n).id for n in range(5))


def test_a_line_is_readable_text_with_utc_times(store: SqliteDocumentStore) -> None:
    store.restore_documents([make(1, content="naïve 日本", published_at=EARLY)])
    line = exported(store).decode()
    assert '"content": "naïve 日本"' in line
    assert '"published_at": "2001-02-03T00:00:00.000Z"' in line


def test_an_export_appears_only_when_it_is_complete(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    path = tmp_path / "folder" / "backup.jsonl"
    store.upsert_documents([make(1)])
    assert export_documents(store, path).documents == 1
    store._file._connection().execute("UPDATE documents SET content = CAST(x'ff' AS TEXT)")
    before = path.read_bytes()
    with pytest.raises(Exception, match="damaged"):
        export_documents(store, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["backup.jsonl"]


def test_an_export_that_cannot_be_written_names_the_path(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"file/backup\.jsonl cannot be written"):
        export_documents(store, tmp_path / "file" / "backup.jsonl")


def test_gzip_holds_the_same_lines_and_the_same_bytes_each_time(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    store.upsert_documents([make(n) for n in range(5)])
    paths = [tmp_path / "one.jsonl.gz", tmp_path / "two.jsonl.gz"]
    for path in paths:
        export_documents(store, path)
    assert gzip.decompress(paths[0].read_bytes()) == exported(store)
    assert paths[0].read_bytes() == paths[1].read_bytes()


# --- export and import again ---


@pytest.mark.parametrize("name", ["backup.jsonl", "backup.jsonl.gz"])
def test_an_export_brings_back_an_identical_store(
    store: SqliteDocumentStore, other: SqliteDocumentStore, tmp_path: Path, name: str
) -> None:
    store.upsert_documents([make(n, author_full_name="ada lovelace") for n in range(9)])
    store.tombstone_documents([make(3).id, make(4).id], EARLY)
    store.get_or_create_author("Ada Lovelace")
    store.get_or_create_author("No Documents Yet")
    export_documents(store, tmp_path / name)
    report = import_documents(other, [tmp_path / name], 2)
    assert report == ImportReport(read=9, result=UpsertResult(inserted=9))
    assert exported(other) == exported(store)
    assert other.authors() == store.authors()
    assert other.status().counts == store.status().counts


def test_importing_again_changes_nothing(store: SqliteDocumentStore, tmp_path: Path) -> None:
    store.upsert_documents([make(n) for n in range(5)])
    store.tombstone_documents([make(1).id], EARLY)
    before = exported(store)
    report = load(store, tmp_path / "backup.jsonl", before)
    assert report.result == UpsertResult(unchanged=5)
    assert exported(store) == before


times = st.none() | st.datetimes(timezones=st.just(UTC))


@settings(max_examples=60, deadline=None)
@given(
    content=text,
    title=st.none() | text,
    kind=st.sampled_from(KINDS),
    published_at=times,
    updated_at=times,
    deleted_at=times,
)
def test_any_document_comes_back_from_its_line(**values: Any) -> None:
    document = make(**values)
    line = document_to_line(document)
    assert "\n" not in line
    assert document_from_values(json.loads(line)) == document
