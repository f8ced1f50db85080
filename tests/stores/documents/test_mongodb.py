"""Promises of the MongoDB store beyond the contract: helpful errors that reveal no secrets."""

import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.document_stores import make, mongo_store, wire_server
from contracts.model_calls import make as make_call
from moodswarm.stores.documents.mongodb.store import MongoDocumentStore
from moodswarm.stores.documents.opening import open_document_store
from moodswarm.stores.documents.protocol import UpsertResult
from moodswarm.stores.errors import StoreUnavailable

SECRETS = ("grace", "s3cret")


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with wire_server(tmp_path_factory.mktemp("wire")) as uri:
        yield uri


@pytest.fixture
def store(uri: str) -> Iterator[MongoDocumentStore]:
    with mongo_store(uri) as opened:
        yield opened


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an address at which nothing listens, reserved so that nothing else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


def chain(error: BaseException | None) -> str:
    """Return everything that a traceback would show about an error."""
    text = ""
    while error is not None:
        text += f"{error!r}\n"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text


def test_an_unreachable_server_is_named_without_user_and_password(nobody: str) -> None:
    with pytest.raises(StoreUnavailable, match=f"mongodb://{nobody}/twin: .*check that") as caught:
        MongoDocumentStore(
            f"mongodb://grace:s3cret@{nobody}/", "twin", server_selection_timeout_ms=1
        )
    assert not [secret for secret in SECRETS if secret in chain(caught.value)]


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://grace:s3cret/pa@db.example.org/",
        "mongodb://grace:pa@s3cret@db.example.org/",
        "mongodb://grace:s3cret?pa@db.example.org",
        "mongodb://grace:pa:s3cret@db.example.org",
        "mongodb://grace:s3cret/twin",
        "grace:s3cret@db.example.org",
        "postgres://grace:s3cret@db.example.org",
    ],
)
def test_a_wrong_uri_is_explained_and_not_quoted(uri: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"URI .* not valid: expected mongodb://") as caught:
        MongoDocumentStore(uri)
    assert not [secret for secret in SECRETS if secret in chain(caught.value)]


def test_the_location_names_every_host_and_no_secret(store: MongoDocumentStore, uri: str) -> None:
    location = store.status().location
    assert location.startswith(f"{uri}/moodswarm-test-")


def test_missing_pymongo_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(StoreUnavailable, match=r'pip install "moodswarm\[server\]"'):
        MongoDocumentStore("mongodb://localhost")


def test_a_missing_uri_is_named() -> None:
    with pytest.raises(ValueError, match="has no uri; give one as credentials"):
        open_document_store({"backend": "mongodb", "database": "twin"})


def test_a_catalog_entry_and_credentials_open_a_store(uri: str) -> None:
    config = {"backend": "mongodb", "database": "from-config"}
    store = open_document_store(config, {"uri": uri})
    assert store.status().location == f"{uri}/from-config"
    store.close()


def test_a_document_over_the_limit_of_mongodb_fails_alone(store: MongoDocumentStore) -> None:
    big = make(1, content="é" * 9_000_000)
    result = store.upsert_documents([make(0), big, make(2)])
    assert result.inserted == 2
    assert [failure.link for failure in result.failed] == [big.link]
    assert "18,000," in result.failed[0].reason
    assert "at most 16,777,216 (16 MiB)" in result.failed[0].reason


def test_a_document_just_under_the_limit_is_stored(store: MongoDocumentStore) -> None:
    assert store.upsert_documents([make(1, content="a" * 16_000_000)]).inserted == 1


def test_ids_are_text_and_times_are_dates(store: MongoDocumentStore) -> None:
    document = make(1)
    store.upsert_documents([document])
    row = store._documents.find_one({"link": document.link})
    assert row is not None
    assert row["_id"] == document.id
    assert row["updated_at"].utcoffset().total_seconds() == 0


def test_a_document_written_before_licences_were_known_is_read(store: MongoDocumentStore) -> None:
    document = make(1, fetched_at=datetime(2026, 1, 1, tzinfo=UTC))
    store.upsert_documents([document])
    store._documents.update_one({"_id": document.id}, {"$unset": {"licence": 1}})
    assert "licence" not in (store._documents.find_one({"_id": document.id}) or {})
    assert store.get_documents([document.id])[0].licence is None
    assert store.upsert_documents([document]) == UpsertResult(unchanged=1)


def test_calls_are_indexed_by_time_and_keep_it_as_a_date(store: MongoDocumentStore) -> None:
    store.calls.record([make_call(1)])
    row = store.calls._calls.find_one({"_id": make_call(1).id})
    assert row is not None
    assert row["at"] == make_call(1).at
    indexes = store.calls._calls.index_information().values()
    assert [("place", 1)] in [index["key"] for index in indexes]


def test_writers_at_the_same_time_leave_one_document_of_a_link(uri: str) -> None:
    with mongo_store(uri) as store:
        results = []

        def write(number: int) -> None:
            results.append(store.upsert_documents([make(n) for n in range(20)]))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [result.failed for result in results] == [()] * 4
        assert store.status().counts["article"] == 20


def test_more_ids_than_one_query_takes_are_found(store: MongoDocumentStore) -> None:
    documents = [make(number) for number in range(1100)]
    store.upsert_documents(documents)
    found = store.get_documents([document.id for document in documents])
    assert [d.id for d in found] == sorted(d.id for d in documents)


def test_a_server_that_goes_away_is_unavailable(tmp_path: Path) -> None:
    with wire_server(tmp_path) as uri:
        with mongo_store(uri):
            pass  # wait until the server answers
        store = MongoDocumentStore(uri, server_selection_timeout_ms=500)
    with pytest.raises(StoreUnavailable, match=f"{uri}/moodswarm: .*check that the server runs"):
        store.status()
    store.close()
