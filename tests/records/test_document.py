"""A document is checked when it is created, and some fields are derived from the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodswarm.records import DOCUMENT_SCHEMA, KINDS, Document, InvalidDocument
from moodswarm.records.document import documents_to_table, table_to_documents
from moodswarm.records.ids import author_id, document_id

VALUES: dict[str, Any] = {
    "kind": "article",
    "platform": "blog",
    "link": "https://example.org/a",
    "author_full_name": "Ada Lovelace",
    "content": "Text.",
}


def make(**changes: Any) -> Document:
    return Document.create(**{**VALUES, **changes})


def test_ids_are_derived_from_the_canonical_link_and_the_name() -> None:
    document = make(link="http://EXAMPLE.org/a/?utm_source=x", author_full_name=" Ada  Lovelace")
    assert document.link == "https://example.org/a"
    assert document.id == document_id("https://example.org/a")
    assert (document.author_full_name, document.author_id) == (
        "Ada Lovelace",
        author_id("Ada Lovelace"),
    )


def test_derived_values_that_are_given_are_not_trusted() -> None:
    assert make(id="x", author_id="x", content_hash="x") == make()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "post"},
        {"platform": "medium"},
        {"link": "https://example.org/b"},
        {"author_full_name": "Ada Byron"},
        {"title": "T"},
        {"language": "en"},
        {"published_at": datetime(2024, 1, 1, tzinfo=UTC)},
        {"content": "Text!"},
        {"path": "a.py"},
        {"repository_id": "r"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_sees_whatever_a_reader_sees(change: dict[str, Any]) -> None:
    assert make(**change).content_hash != make().content_hash


def test_the_hash_does_not_see_how_a_document_came_here() -> None:
    time = datetime(2024, 1, 1, tzinfo=UTC)
    provenance = {"fetched_at": time, "etag": "e", "spider": "s", "commit": "c", "licence": "MIT"}
    kept = make(**provenance, updated_at=time, deleted_at=time)
    assert kept.content_hash == make().content_hash


FILE: dict[str, Any] = {
    "kind": "repository",
    "platform": "github",
    "link": "https://github.com/ada/engine/blob/HEAD/a.py",
    "content": "print(1)\n",
    "title": "a.py",
    "language": "en",
    "published_at": datetime(2024, 5, 1, tzinfo=UTC),
    "path": "a.py",
    "repository_id": "r",
}


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ({}, "e52c2c372a11f6f61a29c4d4bd8cf6759a3289f514584a1cc6469871db9701ec"),
        (FILE, "5addc445fe54f9cd97b354d22420097ba5eec03acb73d697706b2629ee388800"),
    ],
)
def test_hashes_stay_what_they_were_before_commits(values: dict[str, Any], known: str) -> None:
    assert make(**values).content_hash == known
    assert make(**values, commit="c0ffee", licence="MIT").content_hash == known


def test_a_changed_text_is_told_from_a_hash_that_an_older_version_computed() -> None:
    document = make(kind="repository", path="a.py", repository_id="r", commit="c1")
    older = replace(document, content_hash=document._hash(commit="c1"))
    assert document.is_intact()
    assert older.is_intact()
    assert not replace(older, content="Other.").is_intact()


def test_one_instant_in_two_zones_has_one_hash() -> None:
    local = datetime(2024, 1, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    utc = make(published_at=datetime(2024, 1, 1, tzinfo=UTC))
    assert make(published_at=local) == utc
    assert make(published_at=datetime(2024, 1, 1)) == utc  # noqa: DTZ001  # no zone is UTC


def test_times_are_cut_to_milliseconds() -> None:
    time = datetime(2024, 1, 1, microsecond=123_999, tzinfo=UTC)
    assert make(fetched_at=time).fetched_at == time.replace(microsecond=123_000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"content": None}, "content: expected str, found NoneType None"),
        ({"title": 7}, "title: expected str or null, found int 7"),
        ({"published_at": "2024"}, "published_at: expected datetime or null, found str '2024'"),
        ({"kind": "song"}, r"kind: expected one of \('article', .*, found 'song'"),
        ({"mood": 1}, r"unknown fields \['mood'\]; the known fields are"),
        ({"cls": 1}, r"unknown fields \['cls'\]"),
        ({"link": "example.org"}, "link 'example.org' is not an absolute http"),
        ({"author_full_name": " "}, "author_full_name is empty"),
        ({"content": "a\udc80"}, r"content: broken Unicode at character 1 \('\\udc80'\)"),
        (
            {"published_at": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2)))},
            "published_at: 9999.* is outside the years 1 to 9999",
        ),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        make(**change)


@pytest.mark.parametrize("name", VALUES)
def test_a_missing_field_is_named(name: str) -> None:
    values = {key: value for key, value in VALUES.items() if key != name}
    with pytest.raises(InvalidDocument, match=f"{name}: expected str, found nothing"):
        Document.create(**values)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=50, deadline=None)
@given(
    content=text,
    title=st.none() | text,
    kind=st.sampled_from(KINDS),
    published_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    path=st.none() | text,
)
def test_documents_come_back_from_their_table(**values: Any) -> None:
    documents = [make(**values), make()]
    table = documents_to_table(documents)
    assert table.schema == DOCUMENT_SCHEMA
    assert list(table_to_documents(table)) == documents


def test_no_documents_make_an_empty_table() -> None:
    table = documents_to_table([])
    assert (table.num_rows, table.schema) == (0, DOCUMENT_SCHEMA)
    assert isinstance(table, pa.Table)
