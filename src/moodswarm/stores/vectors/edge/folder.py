"""An embedded store's folder, opened once per process however many stores look into it."""

import atexit
import contextlib
import ctypes
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from moodswarm.stores.errors import StoreError
from moodswarm.stores.folder_lock import FolderLock
from moodswarm.stores.vectors.edge.collection import EdgeCollection
from moodswarm.stores.vectors.edge.files import Marker, sync_folder


class EdgeFolder:
    """The lock on a store and the collections that have been used.

    The lock comes before any shard: a second process that opens one damages its holder.

    Args:
        path: Store folder; its collections lie under `collections/<name>`.
        lock_timeout: Seconds to wait for another process that holds the store.
        index_from: Points from which a collection gets an HNSW graph.
    """

    def __init__(self, path: Path, lock_timeout: float, index_from: int) -> None:
        self.stores = 0
        self.forked = False
        self._root = path / "collections"
        self._index_from = index_from
        self._lock = FolderLock(path, lock_timeout)
        self._held = False
        self._opening = threading.RLock()
        self._collections: dict[str, EdgeCollection] = {}

    def lock(self) -> None:
        """Take the lock unless a thread of this process has it."""
        with self._opening:
            if not self._held:
                self._lock.acquire()
                self._held = True

    def find(self, name: str) -> EdgeCollection | None:
        """Return a collection, loaded at its first use; None where there is none."""
        with self._opening:
            if name not in self._collections:
                if not (self._root / name).is_dir():
                    return None
                self._collections[name] = EdgeCollection(self._root / name, self._index_from)
            return self._collections[name]

    def ensure(self, name: str, wanted: Marker) -> None:
        """Create the collection, or check the one that is there and add what it lacks."""
        with self._opening:
            if found := self.find(name):
                found.ensure(wanted)
                return
            if not self._root.exists():
                self._root.mkdir(parents=True)
                sync_folder(self._root.parent)
            self._collections[name] = EdgeCollection.create(
                self._root / name, wanted, self._index_from
            )

    def delete(self, name: str) -> None:
        """Delete a collection, readable or not; after a crash it is whole or gone."""
        with self._opening:
            if loaded := self._collections.pop(name, None):
                loaded.abandon()
            gone = self._root / f".old-{name}"
            shutil.rmtree(gone, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                (self._root / name).replace(gone)
            sync_folder(self._root)
            shutil.rmtree(gone, ignore_errors=True)

    def collections(self) -> Iterator[EdgeCollection]:
        """Load and return every collection, ordered by name."""
        names = sorted(p.name for p in self._root.glob("[!.]*") if p.is_dir())
        return (found for name in names if (found := self.find(name)))

    def flush(self) -> None:
        """Make everything written so far survive a crash."""
        with self._opening:
            for collection in self._collections.values():
                collection.flush()

    def close(self) -> None:
        """Flush and close every collection, the others also where one fails, then unlock."""
        with self._opening, contextlib.ExitStack() as stack:
            if self._held:
                self._held = False
                stack.callback(self._lock.release)
            for collection in self._collections.values():
                stack.callback(collection.close)
            self._collections = {}


_folders: dict[Path, EdgeFolder] = {}
_entrance = threading.RLock()


def enter_folder(path: Path, lock_timeout: float, index_from: int) -> EdgeFolder:
    """Open a store folder, or join those of this process who have it open.

    Raises:
        StoreLocked: another process holds it.
    """
    with _entrance:
        folder = _folders.setdefault(path, EdgeFolder(path, lock_timeout, index_from))
        folder.stores += 1
    try:
        folder.lock()
    except BaseException:
        leave_folder(path, folder)
        raise
    return folder


def leave_folder(path: Path, folder: EdgeFolder) -> None:
    """Give an opening back; the last one closes the folder."""
    # Closing happens at the entrance, so that whoever opens the folder next waits for it.
    with _entrance:
        folder.stores -= 1
        if folder.stores == 0 and _folders.get(path) is folder:
            del _folders[path]
            folder.close()


@atexit.register
def _close_folders() -> None:
    with _entrance, contextlib.ExitStack() as stack:
        for folder in _folders.values():
            stack.callback(folder.close)
        _folders.clear()


def _forget_folders() -> None:
    """Let a forked child know that the open folders are its parent's.

    Their objects must never be freed there: that would write to shards that the parent is using.
    """
    global _entrance  # noqa: PLW0603 - a lock held by another thread at the fork stays held
    _entrance = threading.RLock()
    for folder in _folders.values():
        folder.forked = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(folder))
    _folders.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_folders)


def check_process(folder: EdgeFolder, path: Path) -> None:
    """Refuse a store that was opened before this process was forked from its owner."""
    if folder.forked:
        raise StoreError(
            f"the store at {path} was opened before this process was forked and belongs to the "
            "parent; let the parent write, or open it here once the parent has closed it"
        )
