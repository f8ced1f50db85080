"""State that a page carries in its scripts, as JSON."""

import json
import re
from typing import Any

from lxml.html import HtmlElement

from moodswarm.extraction.tree import elements

_DECODER = json.JSONDecoder()


def read_state(root: HtmlElement, variable: str) -> dict[str, Any] | None:
    """Return the object that a script assigns to a variable, or None.

    Both `x = {...}` and `x = JSON.parse("...")` are read; nothing is executed.
    """
    assigned = re.compile(re.escape(variable) + r"\s*=\s*(JSON\.parse\(\s*)?")
    for script in elements(root, "script"):
        text = script.text or ""
        match = assigned.search(text)
        if match is None:
            continue
        try:
            value, _ = _DECODER.raw_decode(text, match.end())
            if match[1] and isinstance(value, str):
                value = json.loads(value)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None


def part(value: Any, *keys: str) -> Any:
    """Return what lies under keys in nested objects, or None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_part(value: Any, *keys: str) -> str | None:
    """Return the text under keys, without white space around it, or None."""
    found = part(value, *keys)
    return found.strip() or None if isinstance(found, str) else None
