"""Jupyter notebooks as their author wrote them: the cells, without their output."""

import json
import re
from collections.abc import Iterator
from typing import Any

#: A picture that is embedded in the text itself, with its bytes in base64.
_PICTURE = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{100,}")
_TICKS = re.compile(r"^ *(`{3,})", re.MULTILINE)


def notebook_text(text: str) -> str | None:
    """Return a notebook's cells as markdown, with code in fences; None if it is not a notebook."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = _cells(notebook)
    if cells is None:
        return None
    language = _language(notebook)
    parts = [part for cell in cells if (part := _cell(cell, language))]
    return "\n\n".join(parts) + "\n" if parts else ""


def _cells(notebook: Any) -> list[Any] | None:
    """Return a notebook's cells; before version 4 of the format, these were in worksheets."""
    if not isinstance(notebook, dict):
        return None
    if isinstance(notebook.get("cells"), list):
        return list(notebook["cells"])
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets for cell in _cells(sheet) or ()]


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    for holder, name in (("language_info", "name"), ("kernelspec", "language")):
        found = metadata.get(holder) if isinstance(metadata, dict) else None
        value = found.get(name) if isinstance(found, dict) else None
        if isinstance(value, str) and re.fullmatch(r"[\w+#.-]{1,30}", value):
            return value.lower()
    return "python"


def _cell(cell: Any, language: str) -> str:
    if not isinstance(cell, dict):
        return ""
    source = (
        "".join(_lines(cell.get("source", cell.get("input")))).replace("\r\n", "\n").strip("\n")
    )
    if not source.strip():
        return ""
    if cell.get("cell_type") == "code":
        fence = "`" * max([3, *(len(ticks) + 1 for ticks in _TICKS.findall(source))])
        return f"{fence}{language}\n{source}\n{fence}"
    if cell.get("cell_type") == "heading" and isinstance(level := cell.get("level"), int):
        return f"{'#' * min(max(level, 1), 6)} {source}"
    return _PICTURE.sub("data:,", source)


def _lines(source: Any) -> Iterator[str]:
    if isinstance(source, str):
        yield source
    elif isinstance(source, list):
        yield from (line for line in source if isinstance(line, str))
