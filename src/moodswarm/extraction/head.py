"""Data that a page carries for machines: meta elements, JSON-LD, and the state of its scripts."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement

from moodswarm.extraction.tree import elements

_ARTICLE_TYPES = re.compile(r".*(?:Article|Posting|Post|Report|Recipe)")
_JSON_ITEMS = 200
_DECODER = json.JSONDecoder()


def meta(root: HtmlElement, name: str) -> str | None:
    """Return the content of the first meta element with this name."""
    for element in elements(root, "meta"):
        key = element.get("property") or element.get("name") or element.get("itemprop") or ""
        if key.lower() == name and (value := " ".join((element.get("content") or "").split())):
            return value
    return None


def linked_data(root: HtmlElement) -> Iterator[dict[str, Any]]:
    """Yield the JSON-LD objects that describe an article."""
    for script in elements(root, "script"):
        if script.get("type") != "application/ld+json":
            continue
        try:
            waiting = [json.loads(script.text or "")]
        except (ValueError, RecursionError):
            continue
        for _ in range(_JSON_ITEMS):
            if not waiting:
                break
            value = waiting.pop(0)
            if isinstance(value, list):
                waiting.extend(value)
            elif isinstance(value, dict):
                kind = value.get("@type")
                kinds = kind if isinstance(kind, list) else [kind]
                if any(isinstance(k, str) and _ARTICLE_TYPES.fullmatch(k) for k in kinds):
                    yield value
                waiting.append(value.get("@graph"))
                waiting.append(value.get("mainEntity"))


def read_state(root: HtmlElement, variable: str) -> dict[str, Any] | None:
    """Return the object that a script assigns to a variable, or None.

    Both `x = {...}` and `x = JSON.parse("...")` are understood; nothing is executed.
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
    """Return the value under a path of keys in nested objects, or None if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_part(value: Any, *keys: str) -> str | None:
    """Return the text under a path of keys without surrounding white space, or None."""
    found = part(value, *keys)
    return found.strip() or None if isinstance(found, str) else None
