"""Promises for a server only: it may be unreachable, busy, full, or used by another program."""

import builtins
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from moodswarm.stores.errors import StoreError, StoreFull, StoreUnavailable
from moodswarm.stores.vectors.opening import open_vector_store
from moodswarm.stores.vectors.server import connection
from moodswarm.stores.vectors.server.store import ServerVectorStore

qdrant_client = pytest.importorskip("qdrant_client")

KEY = "s3cret-k3y"
pytestmark = [
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_PAUSES", (0.0, 0.0))


class Answers(BaseHTTPRequestHandler):
    """Answers with the statuses in the script one after another, then repeats the last one."""

    def do_GET(self) -> None:
        script: list[int] = self.server.script  # type: ignore[attr-defined]
        status = script.pop(0) if len(script) > 1 else script[0]
        body = json.dumps({"result": {"collections": []}, "status": "ok", "time": 0}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def answering(*script: int) -> Iterator[ServerVectorStore]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.script = list(script)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    store = ServerVectorStore(f"http://127.0.0.1:{server.server_port}", api_key=KEY)
    try:
        yield store
    finally:
        store.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    with answering(503, 429, 200) as store:
        assert store.collections() == []


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (503, StoreUnavailable, r"stays busy \(503\)"),
        (401, StoreUnavailable, "refuses the key .*credentials"),
        (403, StoreUnavailable, "refuses the key"),
        (507, StoreFull, "has no space left"),
        (400, StoreError, r"refuses a request \(400\)"),
    ],
)
def test_a_refusal_names_the_server_and_never_the_key(
    status: int, error: type[StoreError], words: str
) -> None:
    with answering(status) as store, pytest.raises(error, match=words) as caught:
        store.collections()
    assert "http://127.0.0.1:" in str(caught.value)
    assert KEY not in str(caught.value)


def test_an_unreachable_server_is_named_without_its_login() -> None:
    store = ServerVectorStore(f"http://user:{KEY}@127.0.0.1:9", api_key=KEY, timeout=1)
    with pytest.raises(
        StoreUnavailable, match=r"no answer .* at http://127\.0\.0\.1:9: "
    ) as caught:
        store.status()
    assert KEY not in str(caught.value)
    store.close()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is empty"),
        ("localhost:6333", "does not start with http"),
        (f"ftp://user:{KEY}@host", "does not start with http"),
        (f"http://user:{KEY}@host:notaport", "has an invalid host or port"),
        (f"http://user:{KEY}@[::1", "has an invalid host or port"),
        (f"http://user:{KEY}@:6333", "names no host"),
    ],
)
def test_a_malformed_address_is_explained_without_its_login(url: str, problem: str) -> None:
    with pytest.raises(
        StoreUnavailable, match=rf"{problem}.*; expected http://host:port, .*credentials"
    ) as caught:
        ServerVectorStore(url, api_key=KEY)
    assert "user" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_nothing_is_sent_before_the_first_call() -> None:
    ServerVectorStore("http://127.0.0.1:9").close()


def test_without_qdrant_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "qdrant_client":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "qdrant_client")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StoreError, match=r'pip install "moodswarm\[server\]"'):
        ServerVectorStore("http://127.0.0.1:9")


def test_prefixes_keep_stores_apart() -> None:
    client = qdrant_client.QdrantClient(":memory:")
    one, two = (ServerVectorStore(client=client, prefix=p) for p in ("one-", "two-"))
    one.ensure_collection("index", None)
    assert two.collections() == []
    assert [c.name for c in one.collections()] == ["index"]
    assert [c.name for c in client.get_collections().collections] == ["one-index"]
    one.close()


def test_a_collection_with_named_vectors_is_not_ours() -> None:
    client = qdrant_client.QdrantClient(":memory:")
    size = qdrant_client.models.VectorParams(size=4, distance="Cosine")
    client.create_collection("articles", vectors_config={"title": size})
    store = ServerVectorStore(client=client)
    with pytest.raises(StoreError, match=r"named vectors \['title'\].*Set a `prefix`"):
        store.ensure_collection("articles", 4)
    store.close()


def test_wide_vectors_stay_below_the_limit_of_a_request() -> None:
    sent: list[int] = []
    client = qdrant_client.QdrantClient(":memory:")
    real = client.upsert

    def upsert(collection: str, points: list[Any], **options: Any) -> Any:
        sent.append(sum(len(point.model_dump_json()) for point in points))
        return real(collection, points, **options)

    client.upsert = upsert
    store = ServerVectorStore(client=client)
    store.ensure_collection("wide", 3_072)
    rows = np.random.default_rng(0).standard_normal((260, 3_072)).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 3_072)
    ids = [f"{number:032x}" for number in range(260)]
    store.upsert_points("wide", pa.table({"id": ids, "vector": vectors}))
    assert len(sent) == 2
    assert max(sent) < 32 * 2**20
    store.close()


def test_the_protocol_opens_a_server_store_by_its_configuration() -> None:
    config = {"backend": "server", "prefix": "twin-"}
    store = open_vector_store(config, {"url": "http://127.0.0.1:9", "api_key": None})
    assert isinstance(store, ServerVectorStore)
    store.close()
