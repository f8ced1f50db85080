"""The document stores that the contract suite runs on, and documents to put into them."""

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from moodswarm.records import Document
from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.documents.mongodb.store import MongoDocumentStore
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore

BACKENDS = ("sqlite", "mongodb-wire", "mongodb-server")
SERVER_VARIABLE = "MOODSWARM_TEST_MONGODB_URI"


def make(number: int = 0, **values: Any) -> Document:
    """Build a document; the same number always gets the same link."""
    defaults = {
        "link": f"https://example.org/{number}",
        "kind": "article",
        "platform": "blog",
        "author_full_name": "Ada Lovelace",
        "content": f"Text number {number}.",
    }
    return Document.create(**{**defaults, **values})


@contextmanager
def wire_server(folder: Path) -> Iterator[str]:
    """Run a server that speaks MongoDB's protocol over SQLite in memory; yield its URI."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "nx_27017.nx_27017", "--data-dir", "memory"]
    options = ["--port", str(port), "--log-file", os.devnull, "--pid-file", str(folder / "pid")]
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen([*command, *options], stdout=output, stderr=output)
        try:
            yield f"mongodb://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


@contextmanager
def mongo_store(uri: str) -> Iterator[MongoDocumentStore]:
    """Open a store in a database of its own, which is dropped afterwards."""
    name = f"moodswarm-test-{uuid.uuid4().hex}"
    store = MongoDocumentStore(uri, name, server_selection_timeout_ms=20_000)
    try:
        yield store
    finally:
        store.close()
        with MongoClient[dict[str, Any]](uri) as client:
            client.drop_database(name)


@contextmanager
def open_store(backend: str, folder: Path, wire_uri: str) -> Iterator[DocumentDatabase]:
    """Open an empty store of a backend, or skip the test and say what is missing."""
    if backend == "sqlite":
        store = SqliteDocumentStore(folder / "documents.db")
        yield store
        store.close()
    elif backend == "mongodb-wire":
        with mongo_store(wire_uri) as opened:
            yield opened
    elif uri := os.environ.get(SERVER_VARIABLE):
        with mongo_store(uri) as opened:
            yield opened
    else:
        pytest.skip(f"set {SERVER_VARIABLE} to a MongoDB server to test against it")
