"""The files of an embedded collection: its marker, free disk space, and engine errors.

The marker `collection.json` is written last when a collection is created, and describes the
collection. While everything is on disk, the marker also has the number of points and the sizes of
the files, which the next load checks. This is needed because the engine silently opens a shard
whose files are cut short or missing, without the points or payloads that were in them.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from moodswarm.stores.errors import StoreCorrupt, StoreError, StoreFull

#: Disk space that must stay free. The engine writes to memory-mapped files, where a full disk does
#: not raise an error but kills the process by a signal. So every write first checks the free space.
_SPARE_BYTES = 32 * 2**20

_MARKER = "collection.json"
# Files whose size may change without damage: when the engine loads a shard, it settles its
# journals and rewrites its settings.
_REWRITTEN = ("_journal.dat", ".json", ".info")
_DISK_FULL = ("os error 27", "os error 28", "os error 122", "No space left")


@dataclass(frozen=True, slots=True)
class Marker:
    """Description of a collection.

    Attributes:
        dimensions: Vector size; None if the points have payloads only.
        keyword_fields: Payload fields indexed as text.
        points: Number of points on disk; None while the collection is being written to.
        lexical: Whether points may have sparse vectors; False in markers of earlier versions.
        time_fields: Payload fields indexed as times.
        files: Sizes of the data files by relative path; None while the collection is being written
            to, and in markers of earlier versions.
    """

    dimensions: int | None
    keyword_fields: tuple[str, ...]
    points: int | None
    lexical: bool = False
    time_fields: tuple[str, ...] = ()
    files: dict[str, int] | None = None

    def lacking(self, wanted: "Marker") -> "Marker":
        """Return `wanted` without the indexed fields that this marker already has."""
        return replace(
            wanted,
            keyword_fields=_missing(wanted.keyword_fields, self.keyword_fields),
            time_fields=_missing(wanted.time_fields, self.time_fields),
        )

    def with_fields(self, added: "Marker") -> "Marker":
        """Return this marker with the indexed fields of `added` as well."""
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
        StoreCorrupt: the marker is missing or unreadable.
    """
    try:
        found = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
        return Marker(
            found["dimensions"],
            tuple(found["keyword_fields"]),
            found["points"],
            found.get("lexical", False),
            tuple(found.get("time_fields", ())),
            found.get("files"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise corrupt(folder, f"{_MARKER}: {error}") from error


def write_marker(folder: Path, marker: Marker) -> None:
    """Replace the marker; a power cut leaves either the old marker or the new one."""
    draft = folder / f"{_MARKER}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(marker), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / _MARKER)
    sync_folder(folder)


def file_sizes(folder: Path) -> dict[str, int]:
    """Return the sizes of the files that hold data, by relative path."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in (folder / "segments").rglob("*")
        if path.is_file() and not path.name.endswith(_REWRITTEN)
    }


def require_files(folder: Path, marker: Marker) -> None:
    """Check that no file is missing or shorter than when everything was on disk.

    Raises:
        StoreCorrupt: a file is missing or shorter; the message names it, with its sizes.
    """
    found = file_sizes(folder)
    for name, size in (marker.files or {}).items():
        if found.get(name, -1) < size:
            there = f"has {found[name]:,}" if name in found else "is missing"
            raise corrupt(folder, f"{name} had {size:,} bytes when it was flushed, and now {there}")


def sync_folder(folder: Path) -> None:
    """Make renames within a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_space(folder: Path, needed: int) -> None:
    """Refuse a write that would fill the disk.

    Args:
        folder: Any folder on the disk that is written to.
        needed: Bytes that the write may add.

    Raises:
        StoreFull: the disk is too full; the message names the free and the needed space.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise StoreFull(
            f"no space to write to {folder}: {free / 2**20:.1f} MiB are free, "
            f"{(needed + _SPARE_BYTES) / 2**20:.1f} MiB are needed; nothing was written. "
            "Make room on this disk, or move the store and change its `path`"
        )


def bytes_on_disk(folder: Path) -> int:
    """Return the bytes that a folder occupies: fewer than the sizes of its sparse files."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def corrupt(folder: Path, why: object) -> StoreCorrupt:
    """Build the error for a collection that cannot be read."""
    # The remedy removes the whole store, not this folder alone: otherwise the feature index would
    # still say that the documents of this collection need not be embedded again.
    store = folder.parent.parent
    return StoreCorrupt(
        f"the collection in {folder} cannot be read: {why}. Remove the folder {store} and run "
        "`kedro run --pipeline=feature` again, which rebuilds it from the documents"
    )


@contextmanager
def engine_errors(folder: Path) -> Iterator[None]:
    """Turn engine errors into `StoreError`s; a caller's own mistakes (`ValueError`) pass."""
    try:
        yield
    except BaseException as error:
        # The engine raises plain `Exception`, and its panics do not derive from `Exception`.
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
