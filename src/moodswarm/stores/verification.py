"""Reads everything that the stores hold, to find damage that single reads would miss."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

import numpy as np

from moodswarm.records import Document
from moodswarm.records.collections import FEATURE_INDEX, feature_collections
from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.documents.protocol import DocumentStore
from moodswarm.stores.errors import StoreCorrupt
from moodswarm.stores.vectors.protocol import VectorStore

_SHOWN = 5


def verify_documents(store: DocumentDatabase) -> None:
    """Read every document, tombstones included, and compare it with its content hash.

    Raises:
        StoreCorrupt: the files are damaged, or documents have changed; the message names the first
            of them.
    """
    store.verify()
    damaged = [document.link for document in _documents(store) if not document.is_intact()]
    if damaged:
        raise StoreCorrupt(
            f"{store.status().location}: {_some(damaged)} do not have the content that was stored. "
            "Import them again from where they came from, or from an older export"
        )


def verify_points(store: VectorStore) -> None:
    """Read every point with its vector, and compare the chunks with the feature index.

    Raises:
        StoreCorrupt: points lack text or a usable vector, or chunks are missing; the message names
            the first of them.
    """
    chunks: Counter[str] = Counter()
    damaged = []
    sizes = {status.name: status.dimensions for status in store.collections()}
    for name in feature_collections():
        if name not in sizes:
            continue
        for page in store.scroll(name, with_vectors=sizes[name] is not None):
            chunks.update(row.get("document_id", row["id"]) for row in page)
            damaged += [f"{name}/{row['id']}" for row in page if not _is_whole(row, sizes[name])]
    # The cleaned document is one more point, in addition to the chunks.
    for page in store.scroll(FEATURE_INDEX):
        damaged += [
            f"{FEATURE_INDEX}/{row['id']}"
            for row in page
            if row.get("status") == "embedded" and chunks[row["id"]] != row["chunks"] + 1
        ]
    if damaged:
        raise StoreCorrupt(
            f"{store.status().location}: {_some(damaged)} are damaged or do not fit the others. "
            "Run `moodswarm collections --delete feature_index`, then `kedro run "
            "--pipeline=feature`, which makes all points again from the documents"
        )


def _documents(store: DocumentStore) -> Iterator[Document]:
    return chain.from_iterable(store.scan_documents(include_deleted=True))


def _is_whole(row: dict[str, object], dimensions: int | None) -> bool:
    if not row.get("text") or "revision" not in row:
        return False
    if dimensions is None:
        return True
    vector = np.asarray(row.get("vector", []), np.float32)
    return len(vector) == dimensions and abs(float(np.linalg.norm(vector)) - 1) < 0.01  # noqa: PLR2004


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
