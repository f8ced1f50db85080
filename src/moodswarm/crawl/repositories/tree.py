"""What lies in a commit: the files to read, and why the others are left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from moodswarm.crawl.repositories.errors import RepositoryError
from moodswarm.crawl.repositories.ignore import IgnoreRules
from moodswarm.crawl.repositories.secret_files import is_secret_name
from moodswarm.crawl.repositories.text import LeftOut, SkippedFiles, is_binary_name
from moodswarm.crawl.spec import Repositories

# <mode> SP <type> SP <object> SP+ <size> TAB <path> NUL; the size of what is not there is BAD.
_ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64}) +(\d+|-|BAD)\t(.+)", re.DOTALL)
_SYMLINK, _SUBMODULE = b"120000", b"160000"
_CHUNK = 1 << 16
_LONGEST_PATH = 1_024
#: Trees that name each other can list more files than there are atoms.
_MOST_LISTED = 200_000
# What no path of an honest repository holds: control characters, the separator of Windows, and
# the marks that turn the direction of text, which make a name look like another.
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\\\\\u202a-\u202e\u2066-\u2069]")
_GIT_FOLDER = re.compile(r"\.git|git~\d+|\.git[ .]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit: `size` in bytes, `object_id` names its content."""

    path: str
    object_id: str
    size: int


def read_tree(listing: Path, limits: Repositories, skipped: SkippedFiles) -> list[Entry]:
    """Choose the files to read from the output of `git ls-tree -r -z -l`.

    Args:
        listing: File that holds that output.
        limits: How many files, how large, and which patterns are left out.
        skipped: Counts those left out, per reason.

    Returns:
        At most `limits.files` entries, in the order of the tree.
    """
    rules = IgnoreRules(limits.ignore)
    chosen: list[Entry] = []
    with listing.open("rb") as stream:
        for number, raw in enumerate(_records(stream)):
            if number >= _MOST_LISTED:
                skipped["too_many_files"] += 1  # and nobody counts the rest
                break
            entry = _entry(raw, limits, rules)
            if isinstance(entry, LeftOut):
                skipped.leave_out(entry.reason, entry.path)
            elif len(chosen) >= limits.files:
                skipped.leave_out("too_many_files", entry.path)
            else:
                chosen.append(entry)
    return chosen


def _entry(raw: bytes, limits: Repositories, rules: IgnoreRules) -> Entry | LeftOut:
    """Read one entry, or say why it is left out."""
    match = _ENTRY.fullmatch(raw)
    if match is None:
        raise RepositoryError("hostile", "the tree holds an entry that git does not write")
    mode, kind, object_id, size, name = match.groups()
    path = _path(name)
    if path is None:
        return LeftOut("bad_path")
    if reason := next(_objections(mode, kind, path, rules), None):
        return LeftOut(reason, path)
    if size == b"BAD" or int(size) > limits.file_bytes:  # the clone left large ones out
        return LeftOut("too_large", path)
    return Entry(path, object_id.decode(), int(size))


def _objections(mode: bytes, kind: bytes, path: str, rules: IgnoreRules) -> Iterator[str]:
    """Give the reasons to leave a file out, whatever its size; the first one counts."""
    if mode == _SUBMODULE:
        yield "submodule"
    if rules.match(path):
        yield "ignored"
    if mode == _SYMLINK:
        yield "symlink"
    if kind != b"blob":
        yield "not_text"
    if is_secret_name(path):
        yield "secret_file"
    if is_binary_name(path):
        yield "binary"


def _path(name: bytes) -> str | None:
    """Return a path that is safe to show and to build a link from."""
    if len(name) > _LONGEST_PATH:
        return None
    try:
        path = name.decode()
    except UnicodeDecodeError:
        return None
    parts = path.split("/")
    if _ODD.search(path) or any(part in ("", ".", "..") for part in parts):
        return None
    return None if any(_GIT_FOLDER.fullmatch(part) for part in parts) else path


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
        if len(rest) > _CHUNK:
            raise RepositoryError("hostile", f"the tree holds a path of over {_CHUNK} bytes")
