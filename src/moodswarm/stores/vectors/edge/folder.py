"""The folder of an embedded store, opened once per process, however many stores use it."""

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
    """The lock on a store's folder, and the collections that are loaded from it.

    The lock is taken before any shard is opened: a second process that opened a shard would damage
    the data of the first.

    Args:
        path: Store folder; its collections lie under `collections/<name>`.
        lock_timeout: Seconds to wait for another process that holds the store.
        index_from: Number of points from which a collection gets an HNSW graph.
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
        """Take the lock, unless a thread in this process already holds it."""
        with self._opening:
            if not self._held:
                self._lock.acquire()
                self._held = True

    def find(self, name: str) -> EdgeCollection | None:
        """Return a collection, loaded at its first use; None if it does not exist."""
        with self._opening:
            if name not in self._collections:
                if not (self._root / name).is_dir():
                    return None
                self._collections[name] = EdgeCollection(self._root / name, self._index_from)
            return self._collections[name]

    def ensure(self, name: str, wanted: Marker) -> None:
        """Create the collection, or check the existing one and add what it lacks."""
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
        """Delete a collection, whether readable or not; a crash leaves it either whole or gone."""
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
        """Flush and close every collection, even if closing one fails, then unlock."""
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
    """Open a store's folder, or share it if this process already has it open.

    Raises:
        StoreLocked: another process holds the folder.
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
    """Leave a folder that a store has entered; the last store to leave closes it."""
    # Closing happens under `_entrance`, so that the next store to open the folder waits.
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
    """In a forked child, mark the open folders as belonging to the parent.

    The child must never free these objects, since that would write to shards that the parent is
    using. It therefore takes a reference to each of them that it never gives up.
    """
    global _entrance  # noqa: PLW0603 - a lock that another thread held at the fork would stay held
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
            "parent. Let the parent write, or open it here once the parent has closed it"
        )
