"""What a page says about itself for machines: meta elements and JSON-LD."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement

from moodswarm.extraction.tree import elements

_ARTICLE_TYPES = re.compile(r".*(?:Article|Posting|Post|Report|Recipe)")
_JSON_ITEMS = 200


def meta(root: HtmlElement, name: str) -> str | None:
    """Return what a meta element of this name says."""
    for element in elements(root, "meta"):
        key = element.get("property") or element.get("name") or element.get("itemprop") or ""
        if key.lower() == name and (value := " ".join((element.get("content") or "").split())):
            return value
    return None


def linked_data(root: HtmlElement) -> Iterator[dict[str, Any]]:
    """Give the JSON-LD objects that describe an article."""
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
