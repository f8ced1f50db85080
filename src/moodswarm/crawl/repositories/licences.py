"""Finds the licence of a repository from the licence texts at its root."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from moodswarm.crawl.repositories.tree import Entry

_NAME = re.compile(
    r"(?:un)?licen[cs]e(?:[-_.].*)?|copying(?:[-_.].*)?|(?:mit|apache|bsd|gpl)[-_]licen[cs]e.*",
    re.IGNORECASE,
)
_MOST_FILES = 4
_LONGEST = 128 * 1024
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+\- ()]{2,100})")
_OWNER = re.compile(r"^.{0,20}(?:copyright|\(c\)|©).*$", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"[a-z0-9]+")
#: GitHub's own detection requires 98 %, but first removes more than the copyright line.
_ALIKE = 0.95


def licence_of(entries: Iterable[Entry], read: Callable[[Entry], str | None]) -> str | None:
    """Return the SPDX expression of a repository's licence, or None if its texts are not known.

    Several different licences are joined by `AND`, which is the cautious interpretation.

    Args:
        entries: The files of the repository.
        read: A function that returns the text of a file.
    """
    found: list[str] = []
    for entry in _candidates(entries):
        text = read(entry)
        name = spdx(text) if text else None
        if name and name not in found:
            found.append(name)
    return " AND ".join(sorted(found)) or None


def spdx(text: str) -> str | None:
    """Return the SPDX identifier that a licence text states, or that of a known text it matches."""
    if tag := _TAG.search(text):
        return tag[1].strip() or None
    words = _words(text)
    scored = ((_likeness(words, known), name) for name, known in _known())
    best, name = max(scored, default=(0.0, ""))
    return name if best >= _ALIKE else None


def _candidates(entries: Iterable[Entry]) -> Iterator[Entry]:
    seen = 0
    for entry in entries:
        if "/" not in entry.path and _NAME.fullmatch(entry.path) and entry.size <= _LONGEST:
            seen += 1
            if seen > _MOST_FILES:
                return
            yield entry


@lru_cache(maxsize=1)
def _known() -> list[tuple[str, frozenset[tuple[str, str]]]]:
    from identify.vendor.licenses import LICENSES

    return [(name, _words(text)) for name, text in LICENSES]


def _words(text: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of neighbouring words in a text, without the line that names the owner."""
    words = _WORD.findall(_OWNER.sub("", text).lower())
    return frozenset(pairwise(words))


def _likeness(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> float:
    """Return the Dice coefficient of two sets of word pairs."""
    return 2 * len(one & other) / max(1, len(one) + len(other))
