"""Finds the files of an archive by their path, whatever folder the archive is nested in."""

import re
from collections.abc import Iterable

from moodswarm.imports.archives.files import Archive

_SHOWN = 6

#: For each platform, files that only its archives have.
_SIGNS = {
    "linkedin": r"(Shares|Profile|Connections|Rich_Media)(_\d+)?\.csv",
    "medium": r"(posts/(draft_|\d{4}-).*\.html|profile/profile\.html)",
    "x": r"data/(tweets?(-part\d+)?|account|manifest)\.js",
}


def find(archive: Archive, pattern: str) -> list[str]:
    """Return the names of files whose path ends in a pattern, `part2` before `part10`.

    Args:
        archive: Where to look. If several folders have matching files, the least nested one counts.
        pattern: Regular expression of the path from the root of the export.
    """
    end = re.compile(rf"((?:.*/)?)(?:{pattern})")
    found = {name: match[1] for name in archive.names if (match := end.fullmatch(name))}
    roots = set(found.values())
    if not roots:
        return []
    root = min(roots, key=lambda folder: (folder.count("/"), folder))
    return sorted((name for name in found if found[name] == root), key=_natural)


def missing(archive: Archive, platform: str, expected: str) -> str:
    """Return a message that files are missing, and what the archive looks like instead."""
    if not archive.names:
        return f"is empty; expected {expected}"
    for other, sign in _SIGNS.items():
        if other != platform and find(archive, sign):
            return f"has no {expected}; it looks like an archive of {other}: try --from {other}"
    return f"has no {expected}; it holds {_some(archive.names)}"


def _some(names: Iterable[str]) -> str:
    tops = sorted({"/".join(name.split("/")[:2]) for name in names})
    more = f" and {len(tops) - _SHOWN} more" if len(tops) > _SHOWN else ""
    return ", ".join(tops[:_SHOWN]) + more


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that compares numbers as numbers."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]
