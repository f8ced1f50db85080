"""The files of an embedded collection: its marker, room on the disk, and what the engine says.

`collection.json` is written last when a collection is created, and says what it holds. Whenever
everything is on disk it also has the number of points, which the next load must find again: the
engine opens a shard with some of its files cut short or gone, silent about the points it lost.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from moodswarm.stores.errors import StoreCorrupt, StoreError, StoreFull

#: Disk that stays free. The engine writes to memory-mapped files, where a full disk is no error
#: but a signal that kills the process, so we look for space before every write.
_SPARE_BYTES = 32 * 2**20

_MARKER = "collection.json"
_DISK_FULL = ("os error 27", "os error 28", "os error 122", "No space left")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a collection holds.

    Attributes:
        dimensions: Vector size; None for payloads only.
        keyword_fields: Payload fields indexed as text.
        points: How many; None while it is being written to.
        lexical: Whether points have sparse vectors; a marker that does not say has none.
        time_fields: Payload fields indexed as times.
    """

    dimensions: int | None
    keyword_fields: tuple[str, ...]
    points: int | None
    lexical: bool = False
    time_fields: tuple[str, ...] = ()

    def lacking(self, wanted: "Marker") -> "Marker":
        """Return what is wanted without the indexed fields that are there."""
        return replace(
            wanted,
            keyword_fields=_missing(wanted.keyword_fields, self.keyword_fields),
            time_fields=_missing(wanted.time_fields, self.time_fields),
        )

    def with_fields(self, added: "Marker") -> "Marker":
        """Return this with the indexed fields of another one added."""
        return replace(
            self,
            keyword_fields=self.keyword_fields + added.keyword_fields,
            time_fields=self.time_fields + added.time_fields,
        )


def _missing(wanted: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(field for field in wanted if field not in known)


def read_marker(folder: Path) -> Marker:
    """Read the marker of a collection.

    Raises:
        StoreCorrupt: it is missing or unreadable.
    """
    try:
        found = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
        return Marker(
            found["dimensions"],
            tuple(found["keyword_fields"]),
            found["points"],
            found.get("lexical", False),
            tuple(found.get("time_fields", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise corrupt(folder, f"{_MARKER}: {error}") from error


def write_marker(folder: Path, marker: Marker) -> None:
    """Replace the marker; after a power cut there is the old one or the new one."""
    draft = folder / f"{_MARKER}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(marker), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _MARKER)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make renames within a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_space(folder: Path, needed: int) -> None:
    """Refuse to write where the disk would be full.

    Args:
        folder: Somewhere on that disk.
        needed: Bytes that the write may add.

    Raises:
        StoreFull: names the folder, and the space that is free and that is needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise StoreFull(
            f"no space to write to {folder}: {free / 2**20:.1f} MiB are free, "
            f"{(needed + _SPARE_BYTES) / 2**20:.1f} MiB are needed; nothing was written. "
            "Make room on this disk, or move the store and change its `path`"
        )


def bytes_on_disk(folder: Path) -> int:
    """Return what a folder occupies; the engine's files are sparse, so less than their sizes."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def corrupt(folder: Path, why: object) -> StoreCorrupt:
    """Build the error for a collection that cannot be read."""
    # The whole store, not this folder alone: the feature index in it says what need not be
    # embedded again.
    store = folder.parent.parent
    return StoreCorrupt(
        f"the collection in {folder} cannot be read: {why}. Remove the folder {store} and run "
        "`kedro run --pipeline=feature` again, which rebuilds it from the documents"
    )


@contextmanager
def engine_errors(folder: Path) -> Iterator[None]:
    """Turn the engine's errors into ours; what a caller did wrong (`ValueError`) stays as it is."""
    try:
        yield
    except BaseException as error:
        # The engine raises plain `Exception`, and its panics are no subclass of that.
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        text = str(error)
        if "not initialized" in text:
            raise StoreError(
                f"the collection in {folder} is closed; open the store again"
            ) from error
        if any(mark in text for mark in _DISK_FULL):
            raise StoreFull(f"no space to write to {folder}: {text}. Make room there") from error
        raise corrupt(folder, text) from error
