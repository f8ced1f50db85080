"""Finds the JSON in a model's answer: after its thinking, in a code fence, among prose.

There can be several values. The last ones come first, because models think aloud and repeat the
question before they answer. Broken JSON is repaired only after all values that can be read as they
stand have been tried.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moodswarm.llm.tasks.thinking import without_thinking

_FENCED = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
# Where an object or a list may begin, unlike the brackets in `{sic}` and `[see there]`.
_START = re.compile(r"""\{(?=\s*(?:["'}]|\w+\s*:|\Z))|\[(?=\s*(?:["'{\[\]\d-]|true|false|null))""")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]')
_DECODER = json.JSONDecoder()
_MOST_VALUES = 50
# The time for a repair grows with the square of the length: at most 10 s for this many characters.
_LONGEST_REPAIR = 20_000


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A value that an answer contains, and whether it had to be repaired."""

    value: Any
    repaired: bool


def find_values(text: str) -> Iterator[JsonValue]:
    """Yield the JSON objects and lists of an answer, the most likely first; there may be none."""
    answer = without_thinking(text)
    fenced = [match[1].strip() for match in _FENCED.finditer(answer)]
    broken: list[str] = []
    for place in [*reversed(fenced), answer]:
        values, rest = _read(place)
        broken += rest
        yield from (JsonValue(value, repaired=False) for value in reversed(values))
    for part in dict.fromkeys(broken):
        value = _repair(part)
        if isinstance(value, dict | list) and value:
            yield JsonValue(value, repaired=True)


def _read(text: str) -> tuple[list[Any], list[str]]:
    """Return the values in a text, and the parts that look like broken values.

    A value inside a broken part does not count, because the model meant the whole part.
    """
    values: list[Any] = []
    broken: list[str] = []
    start = _next_start(text, 0)
    while start >= 0 and len(values) + len(broken) < _MOST_VALUES:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = _end(text, start)
            broken.append(text[start:end])
        else:
            values.append(value)
        start = _next_start(text, end)
    return values, broken


def _next_start(text: str, position: int) -> int:
    start = _START.search(text, position)
    return start.start() if start else -1


def _end(text: str, start: int) -> int:
    """Return where the bracket that opens at `start` is closed, or else the end of the text."""
    depth = 0
    for match in _BRACKETS.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(text)


def _repair(part: str) -> Any:
    from json_repair import repair_json

    if len(part) > _LONGEST_REPAIR:
        return None
    try:
        return repair_json(part, return_objects=True)
    except (ValueError, RecursionError):
        return None
