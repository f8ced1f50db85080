"""An empty vector store of each backend, and points to put into it.

Set `MOODSWARM_TEST_QDRANT_URL`, and `MOODSWARM_TEST_QDRANT_API_KEY` if the server has a key, to run
the contracts on a Qdrant server too. They write under a random prefix and delete everything they
wrote.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from moodswarm.stores.vectors.edge.store import EdgeVectorStore
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.stores.vectors.server.store import ServerVectorStore

DIM = 16
URL = "MOODSWARM_TEST_QDRANT_URL"
BACKENDS = ["edge", "server-memory", "server"]

# Warnings from the in-memory stand-in for a server, and from a client with a key but no TLS.
WARNINGS = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact .brute-force. search"),
    pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection"),
]


@contextmanager
def open_store(backend: str, path: Path) -> Iterator[VectorStore]:
    """Open an empty store of a backend, which is removed afterwards."""
    store = _open(backend, path)
    try:
        yield store
    finally:
        if backend == "server":
            for collection in store.collections():
                store.delete_collection(collection.name)
        store.close()


def _open(backend: str, path: Path) -> VectorStore:
    if backend == "edge":
        return EdgeVectorStore(path / "vectors", lock_timeout=0)
    if backend == "server-memory":
        qdrant_client = pytest.importorskip("qdrant_client")
        return ServerVectorStore(client=qdrant_client.QdrantClient(":memory:"), prefix="test-")
    if not (url := os.environ.get(URL)):
        pytest.skip(f"set {URL} to run against a Qdrant server")
    key = os.environ.get("MOODSWARM_TEST_QDRANT_API_KEY")
    return ServerVectorStore(url, api_key=key, prefix=f"test-{uuid.uuid4().hex[:8]}-")


def id_of(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def vectors(count: int, seed: int = 0) -> np.ndarray:
    rows: np.ndarray = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def points(rows: np.ndarray | None, first: int = 0, count: int = 0, **columns: Any) -> pa.Table:
    """Build points, numbered from `first`; filters can use their `parity` and `digit`."""
    numbers = range(first, first + (count if rows is None else len(rows)))
    table = {
        "id": [id_of(n) for n in numbers],
        "number": list(numbers),
        "parity": ["even" if n % 2 == 0 else "odd" for n in numbers],
        "digit": [str(n % 10) for n in numbers],
        **columns,
    }
    if rows is not None:
        flat = pa.array(rows.ravel(), pa.float32())
        table["vector"] = pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])
    return pa.table(table)


def filled(store: VectorStore, count: int = 50) -> np.ndarray:
    """Fill the collection `articles` and return its vectors."""
    rows = vectors(count)
    store.ensure_collection("articles", DIM, ["parity", "digit"])
    store.upsert_points("articles", points(rows))
    return rows


def rows_of(store: VectorStore, name: str = "articles", **options: Any) -> list[dict[str, Any]]:
    return [row for page in store.scroll(name, **options) for row in page]
