"""Files of documents, read item by item: JSON lines, or one JSON array; plain or gzipped."""

import codecs
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from moodswarm.imports.handbook import document_values, is_handbook_item
from moodswarm.imports.items import Found, Item, Unusable
from moodswarm.records import Author, InvalidDocument
from moodswarm.records.jsonl import document_from_values

MIB = 1024 * 1024
#: The only key of a line that names an author without a document.
AUTHOR = "author"
_WHITE = re.compile(r"[ \t\r\n]*")
_GZIP = b"\x1f\x8b"
_BOM = "\ufeff"
#: The path that stands for standard input.
STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file may be in memory at once, in bytes."""

    line: int = 64 * MIB
    array: int = 512 * MIB


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The reason why a line, or everything after it, could not be read."""

    reason: str


Value = dict[str, Any] | Unreadable


def read_documents(path: Path, limits: Limits) -> Iterator[Item]:
    """Yield the documents in a file, and every entry that did not become a document.

    Every JSON object is a document in our own format or an item from the LLM Engineer's Handbook
    (see `handbook`); the two are told apart by their content. Ids and hashes in the file are not
    trusted but computed anew.
    """
    for line, values in read_items(path, limits):
        try:
            if isinstance(values, Unreadable):
                yield Unusable(line, values.reason)
            elif values.keys() == {AUTHOR}:
                yield _author(values[AUTHOR])
            elif is_handbook_item(values):
                yield from (_document(line, each) for each in document_values(values))
            else:
                yield _document(line, values)
        except InvalidDocument as error:
            yield Unusable(line, str(error))


def _author(name: object) -> Author:
    if not isinstance(name, str):
        raise InvalidDocument(f"author: expected a name, found {type(name).__name__} {name!r:.80}")
    try:
        return Author.from_full_name(name)
    except ValueError as error:
        raise InvalidDocument(f"author: {error}") from error


def _document(line: int, values: dict[str, Any]) -> Found | Unusable:
    """Return the problem instead of raising it, as other files of a repository may be fine."""
    try:
        return Found(line, document_from_values(values))
    except InvalidDocument as error:
        return Unusable(line, str(error))


def read_items(path: Path, limits: Limits) -> Iterator[tuple[int, Value]]:
    """Yield (line, value) for every JSON object in a file, and for everything else in it.

    The path `-` is standard input. Lines count from 1; line 0 stands for the file as a whole. JSON
    lines are streamed, however large the file is; a JSON array is read into memory.
    """
    line, empty = 0, True
    try:
        with ExitStack() as stack:
            stream = stack.enter_context(_opened(path))
            if stream.peek(2).startswith(_GZIP):
                unzipped = stack.enter_context(gzip.GzipFile(fileobj=stream))
                stream = stack.enter_context(io.BufferedReader(cast(io.RawIOBase, unzipped)))
            if _is_wide(stream.peek(4)[:4]):
                yield 0, Unreadable("is UTF-16 or UTF-32; convert it: iconv -f UTF-16 -t UTF-8")
                return
            items = _array(stream, limits) if _is_one_value(stream) else _lines(stream, limits)
            for line, item in items:  # `line` is also the place of a later read error
                empty = False
                yield line, item
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield line, Unreadable(f"cannot be read any further: {reason}" if line else reason)
        return
    if empty:
        yield 0, Unreadable("is empty; expected JSON lines or a JSON array of documents")


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file; standard input stays open for whoever reads it next."""
    if path != STDIN:
        with path.open("rb") as file:
            yield file
        return
    stream: io.BufferedReader = io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer))
    try:
        yield stream
    finally:
        stream.detach()


def _is_wide(beginning: bytes) -> bool:
    """Detect UTF-16 and UTF-32 by their mark, or by a zero byte, which JSON in UTF-8 never has."""
    return b"\0" in beginning or beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _is_one_value(stream: io.BufferedReader) -> bool:
    """Tell a JSON array, or an object spread over lines, from JSON lines by its beginning."""
    start = stream.peek(4096).decode("utf-8", "replace").lstrip(_BOM + " \t\r\n")
    return start.startswith("[") or re.match(r"\{\s*\n", start) is not None


def _lines(stream: io.BufferedReader, limits: Limits) -> Iterator[tuple[int, Value]]:
    number = 0
    while line := stream.readline(limits.line + 1):
        number += 1
        if len(line) > limits.line:
            while line and not line.endswith(b"\n"):
                line = stream.readline(limits.line)
            reason = f"the line is longer than {limits.line / MIB:g} MiB, too long for one document"
            yield number, Unreadable(reason)
        elif line.strip():
            yield number, _parse(line)


def _parse(line: bytes) -> Value:
    try:
        return _object(json.loads(line.decode("utf-8-sig").rstrip()))
    except UnicodeDecodeError as error:
        return Unreadable(f"not UTF-8: {error.reason} at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return Unreadable(f"broken JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:  # such as 5,000 digits, or 10,000 brackets
        return Unreadable(f"broken JSON: {error}")


def _object(value: Any) -> Value:
    if isinstance(value, dict):
        return value
    return Unreadable(f"expected a JSON object, found {type(value).__name__} {value!r:.60}")


def _array(stream: io.BufferedReader, limits: Limits) -> Iterator[tuple[int, Value]]:
    data = stream.read(limits.array + 1)
    if len(data) > limits.array:
        reason = (
            f"is one JSON value of more than {limits.array / MIB:g} MiB; turn it into JSON lines "
            "(jq -c '.[]'), which are read one at a time"
        )
        yield 0, Unreadable(reason)
        return
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        yield line, Unreadable(f"not UTF-8: {error.reason} at byte {error.start + 1} of the file")
        return
    del data
    yield from _values(text)


def _values(text: str) -> Iterator[tuple[int, Value]]:
    """Decode an array value by value, so that everything before a broken place is kept."""
    decoder, line, counted = json.JSONDecoder(), 1, 0
    position = _skip_white(text, 1 if text.startswith(_BOM) else 0)
    inside = text.startswith("[", position)
    position = _skip_white(text, position + inside)
    while position < len(text) and not (inside and text.startswith("]", position)):
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            yield error.lineno, Unreadable(f"broken JSON: {error.msg} at column {error.colno}")
            return
        except (ValueError, RecursionError) as error:
            yield line, Unreadable(f"broken JSON: {error}")
            return
        yield line, _object(value)
        position = _skip_white(text, position)
        if inside and text.startswith(",", position):
            position = _skip_white(text, position + 1)
        elif not inside or not text.startswith("]", position):
            break
    yield from _rest(text, position, inside)


def _rest(text: str, position: int, inside: bool) -> Iterator[tuple[int, Value]]:
    """Report text after the end of the array, or an array that does not end."""
    if inside and text.startswith("]", position):
        position = _skip_white(text, position + 1)
        inside = False
    if inside or position < len(text):
        found = f"found {text[position : position + 20]!r}" if text[position:] else "the file ends"
        expected = "expected ',' or ']'" if inside else "expected nothing more"
        yield text.count("\n", 0, position) + 1, Unreadable(f"broken JSON: {expected}, {found}")


def _skip_white(text: str, position: int) -> int:
    match = _WHITE.match(text, position)
    return match.end() if match else position
