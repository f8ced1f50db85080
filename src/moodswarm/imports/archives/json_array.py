"""The JSON array in a JavaScript file, read object by object without holding all of it.

ijson is not suitable: it can end the interpreter without an error, silently replaces
half of a surrogate pair, and has no limit on the size of one object.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from moodswarm.imports.archives.files import ArchiveError

_CHARACTERS = 1024 * 1024
#: The limit for one object; a post with everything that X stores about it takes a few kilobytes.
OBJECT_CHARACTERS = 16 * 1024 * 1024
_BEGINNING = re.compile(r"\s*(?:window\.)?[\w.\-\[\]\"']*\s*=?\s*\[")
_BEGINNING_CHARACTERS = 1_000
_BETWEEN = re.compile(r"[\s,]*")


def read_objects(stream: TextIO) -> Iterator[dict[str, Any]]:
    """Yield the objects of `window.YTD.tweets.part0 = [ {...}, {...} ]`.

    Raises:
        ArchiveError: there is no such array, its JSON is broken, or an object has more than
            `OBJECT_CHARACTERS`. All objects before that place have been yielded.
    """
    text = _Window(stream)
    text.more()
    beginning = _BEGINNING.match(text.held[:_BEGINNING_CHARACTERS])
    if not beginning:
        raise ArchiveError(f"expected `window.YTD... = [`, found {text.held[:40]!r}")
    text.position = beginning.end()
    number = 0
    while (found := text.next_object(number)) is not None:
        number += 1
        yield found


class _Window:
    """The part of a long text that is in memory, and how far it has been decoded."""

    def __init__(self, source: TextIO) -> None:
        self.held = ""
        self.position = 0
        self._source = source
        self._decoder = json.JSONDecoder()
        self._ended = False

    def more(self) -> None:
        """Read on, and forget everything decoded so far.

        While one object is incomplete, each call doubles what is held, so that decoding it again
        and again takes linear time.
        """
        rest = self.held[self.position :]
        read = self._source.read(max(_CHARACTERS, len(rest)))
        self._ended = not read
        self.held, self.position = rest + read, 0

    def next_object(self, number: int) -> dict[str, Any] | None:
        """Return the next object, or None at the end of the array."""
        while True:
            between = _BETWEEN.match(self.held, self.position)
            self.position = between.end() if between else self.position
            if self.held.startswith("]", self.position):
                return None
            try:
                found, self.position = self._decoder.raw_decode(self.held, self.position)
            except json.JSONDecodeError as error:
                self._read_on(number, error.msg)
            except (
                ValueError,
                RecursionError,
            ) as error:  # such as a number with 5,000 digits, or 10,000 brackets
                raise _broken(number, str(error)) from error
            else:
                if not isinstance(found, dict):
                    raise _broken(number, f"expected an object, found {found!r:.40}")
                return found

    def _read_on(self, number: int, reason: str) -> None:
        """Read the rest of an incomplete object, or raise if it will never be complete."""
        if self._ended:
            raise _broken(number, reason if self.held[self.position :] else "the file ends early")
        if len(self.held) - self.position > OBJECT_CHARACTERS:
            raise _broken(number, f"more than {OBJECT_CHARACTERS:,} characters: {reason}")
        self.more()


def _broken(number: int, reason: str) -> ArchiveError:
    return ArchiveError(f"broken JSON after {number:,} entries; the rest is lost: {reason}")
