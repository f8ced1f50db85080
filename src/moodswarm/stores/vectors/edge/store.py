"""The embedded vector store: Qdrant Edge, which runs Qdrant's engine in this process.

Only one process at a time may open a folder, see `folder_lock.py`. Within that process, any number
of stores may be open on one path.
"""

import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from moodswarm.records.sparse import SparseVector
from moodswarm.stores.errors import StoreError
from moodswarm.stores.status import StoreStatus
from moodswarm.stores.vectors.edge.collection import EdgeCollection
from moodswarm.stores.vectors.edge.files import Marker
from moodswarm.stores.vectors.edge.folder import (
    EdgeFolder,
    check_process,
    enter_folder,
    leave_folder,
)
from moodswarm.stores.vectors.points import check_name, missing_collection
from moodswarm.stores.vectors.protocol import CollectionStatus, Hit, Match, check_match


class EdgeVectorStore:
    """A folder of collections; implements `VectorStore`.

    Nothing is opened, locked or created before the first call that needs it, and a call that only
    reads creates nothing. If a process is killed, writes that it had not flushed are undone, with
    one exception: a point that was being replaced may have the new vector and the old payload
    until the write is repeated.

    Args:
        path: Store folder.
        lock_timeout: Seconds to wait for another process that has the store open; 0 means no wait.
        index_from: Number of points from which `optimize` builds an HNSW graph. Smaller
            collections are scanned, which is exact and takes 0.1 ms per 1,000 points. The first
            store that a process opens on a path sets this number for all stores on that path.

    Raises:
        StoreLocked: another process holds the store; raised at the first use.
        StoreCorrupt: a collection cannot be read; raised at its first use.
        StoreFull: a write would fill the disk.
    """

    def __init__(
        self, path: str | Path, *, lock_timeout: float = 600.0, index_from: int = 50_000
    ) -> None:
        self._path = Path(path).expanduser().resolve()
        self._lock_timeout = lock_timeout
        self._index_from = index_from
        self._folder: EdgeFolder | None = None
        self._closed = False
        self._entering = threading.Lock()

    def open(self) -> None:
        """Lock the folder if it already contains a store; any other call does so too."""
        self._enter_if_there()

    def ensure_collection(
        self,
        name: str,
        dimensions: int | None,
        keyword_fields: Sequence[str] = (),
        *,
        lexical: bool = False,
        time_fields: Sequence[str] = (),
    ) -> None:
        """Create the collection unless it exists."""
        check_name(name)
        wanted = Marker(dimensions, tuple(keyword_fields), 0, lexical, tuple(time_fields))
        self._enter().ensure(name, wanted)

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its points; do nothing if it does not exist."""
        check_name(name)
        if folder := self._enter_if_there():
            folder.delete(name)

    def upsert_points(self, name: str, points: pa.Table) -> None:
        """Write points, replacing those with the same id; all are durable after `flush`."""
        check_name(name)
        if (collection := self._find(name)) is None:
            raise missing_collection(name, str(self._path))
        collection.upsert(points)

    def delete_points(self, name: str, match: Match, unless: Match | None = None) -> None:
        """Delete the points that meet `match` but not `unless`."""
        match, unless = check_match(match), check_match(unless)
        if collection := self._find(name):
            collection.delete(match, unless)

    def search(
        self,
        name: str,
        vector: npt.NDArray[np.float32],
        k: int,
        match: Match | None = None,
        exact: bool | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        """Return the k nearest points, best first; no points if there is no such collection."""
        match = check_match(match)
        collection = self._find(name)
        return collection.search(vector, k, match, exact, fields) if collection else []

    def search_lexical(
        self,
        name: str,
        query: SparseVector,
        k: int,
        match: Match | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        """Return the k points with the highest lexical score, best first, ties ordered by id."""
        match = check_match(match)
        collection = self._find(name)
        return collection.search_lexical(query, k, match, fields) if collection else []

    def scroll(
        self,
        name: str,
        *,
        fields: Sequence[str] | None = None,
        match: Match | None = None,
        with_vectors: bool = False,
        page_points: int = 1_000,
    ) -> Iterator[list[dict[str, Any]]]:
        """Stream points ordered by id, one list per page; `vector` is float32 [dim] with norm 1."""
        match = check_match(match)
        if collection := self._find(name):
            yield from collection.scroll(fields, match, with_vectors, page_points)

    def count(self, name: str, match: Match | None = None) -> int:
        """Return the exact number of points; 0 if the collection does not exist."""
        match = check_match(match)
        collection = self._find(name)
        return collection.count(match) if collection else 0

    def collections(self) -> list[CollectionStatus]:
        """Return every collection, ordered by name."""
        folder = self._enter_if_there()
        return [collection.status() for collection in folder.collections()] if folder else []

    def optimize(self, name: str) -> None:
        """Reclaim the space of deleted points, and build the HNSW graph if there are enough points.

        This blocks every thread of the process for 45 CPU-seconds per 100,000 points with 384
        dimensions.
        """
        if collection := self._find(name):
            collection.optimize()

    def flush(self) -> None:
        """Make everything written so far survive a crash."""
        if self._folder:
            check_process(self._folder, self._path)
            self._folder.flush()

    def status(self) -> StoreStatus:
        """Open every collection and count its points."""
        counts = {collection.name: collection.points for collection in self.collections()}
        return StoreStatus("qdrant-edge", version("qdrant-edge-py"), str(self._path), counts)

    def __repr__(self) -> str:
        """Return the location, and the counts only if the store is open already.

        Opening the store might have to wait for another process.
        """
        if self._folder is None or self._folder.forked:
            return f"<{type(self).__name__} at {self._path}, not open>"
        return f"<{type(self).__name__}: {self.status()}>"

    def close(self) -> None:
        """Flush, then release files and lock unless another store in this process uses them."""
        with self._entering:
            folder, self._folder, self._closed = self._folder, None, True
        if folder and not folder.forked:
            try:
                folder.flush()
            finally:
                leave_folder(self._path, folder)

    def _find(self, name: str) -> EdgeCollection | None:
        check_name(name)
        folder = self._enter_if_there()
        return folder.find(name) if folder else None

    def _enter_if_there(self) -> EdgeFolder | None:
        """Open the folder if it has collections; otherwise return None.

        Reading a store that does not exist neither creates nor locks its folder.
        """
        if self._folder is None and not self._closed and not (self._path / "collections").exists():
            return None
        return self._enter()

    def _enter(self) -> EdgeFolder:
        with self._entering:
            if self._closed:
                raise StoreError(f"the store at {self._path} is closed; open it again")
            if self._folder is None:
                self._folder = enter_folder(self._path, self._lock_timeout, self._index_from)
            check_process(self._folder, self._path)
            return self._folder
