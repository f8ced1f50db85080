"""Chooses which files of a commit are read, and counts the others by the reason to skip them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from moodswarm.crawl.repositories.errors import RepositoryError
from moodswarm.crawl.repositories.redaction import is_secret_name
from moodswarm.crawl.repositories.text import LeftOut, SkippedFiles, is_binary_name
from moodswarm.crawl.spec import Repositories

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# <mode> SP <type> SP <object> SP+ <size> TAB <path> NUL; the size of a missing object is BAD.
_ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64}) +(\d+|-|BAD)\t(.+)", re.DOTALL)
_SYMLINK, _SUBMODULE = b"120000", b"160000"
_CHUNK = 1 << 16
_LONGEST_PATH = 1_024
#: The most files that are looked at. In a hostile repository, a few small trees that contain each
#: other can list billions of files.
_MOST_LISTED = 200_000
# Characters that no honest path contains: control characters, Windows's path separator, and marks
# that change the direction of text and so make one name look like another.
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\\\\\u202a-\u202e\u2066-\u2069]")
_GIT_FOLDER = re.compile(r"\.git|git~\d+|\.git[ .]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a commit: `size` is in bytes, and `object_id` identifies the content."""

    path: str
    object_id: str
    size: int


def read_tree(listing: Path, limits: Repositories, skipped: SkippedFiles) -> list[Entry]:
    """Choose the files to read from the output of `git ls-tree -r -z -l`.

    Args:
        listing: The file with that output.
        limits: How many files are read, how large they may be, and which patterns are left out.
        skipped: Counts the files that are left out, per reason.

    Returns:
        At most `limits.files` entries, in the order of the tree.
    """
    rules = ignore_rules(limits.ignore)
    chosen: list[Entry] = []
    with listing.open("rb") as stream:
        for number, raw in enumerate(_records(stream)):
            if number >= _MOST_LISTED:
                skipped["too_many_files"] += 1  # once for all the rest
                break
            entry = _entry(raw, limits, rules)
            if isinstance(entry, LeftOut):
                skipped.leave_out(entry.reason, entry.path)
            elif len(chosen) >= limits.files:
                skipped.leave_out("too_many_files", entry.path)
            else:
                chosen.append(entry)
    return chosen


def ignore_rules(patterns: Iterable[str]) -> "GitIgnoreSpec":
    """Return rules that apply the patterns like a `.gitignore` at the root of a repository.

    The last pattern that matches a path, or a folder above it, decides. Unlike in git, a pattern
    with `!` can also include a file in an ignored folder again.
    """
    from pathspec import GitIgnoreSpec

    # Git ignores a pattern that names nothing, such as a lone `!`, but pathspec raises an error.
    return GitIgnoreSpec.from_lines(line for line in patterns if line.strip("!/ "))


def _entry(raw: bytes, limits: Repositories, rules: "GitIgnoreSpec") -> Entry | LeftOut:
    """Return one entry, or the reason why it is left out."""
    match = _ENTRY.fullmatch(raw)
    if match is None:
        raise RepositoryError("hostile", "the tree has an entry that git would not write")
    mode, kind, object_id, size, name = match.groups()
    path = _path(name)
    if path is None:
        return LeftOut("bad_path")
    if reason := next(_objections(mode, kind, path, rules), None):
        return LeftOut(reason, path)
    if size == b"BAD" or int(size) > limits.file_bytes:  # BAD: the clone left it out
        return LeftOut("too_large", path)
    return Entry(path, object_id.decode(), int(size))


def _objections(mode: bytes, kind: bytes, path: str, rules: "GitIgnoreSpec") -> Iterator[str]:
    """Yield the reasons to leave a file out, whatever its size; the first one counts."""
    if mode == _SUBMODULE:
        yield "submodule"
    if rules.match_file(path):
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
    """Return the path, if it is safe to show and to build a link from."""
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
            raise RepositoryError("hostile", f"the tree has a path of over {_CHUNK} bytes")
