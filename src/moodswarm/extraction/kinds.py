"""Tells pages, plain texts and other bytes apart by the server's header and the first bytes."""

import json
import re
from typing import Literal

from moodswarm.extraction.decoding import NotHtml

Kind = Literal["html", "markdown", "text"]

_SNIFFED = 4_096
# The prolog may hold comments; the first element decides.
_PAGE = re.compile(
    r"\s*+(?:<\?[^>]*+>\s*+|<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_JSON = re.compile(r"\s*+(?:\{\s*(?:\"|\})|\[\s*(?:[\[{\"\d\]]|true|false|null))")
_SCRIPT = re.compile(
    r"\s*+(?:/\*(?:(?!\*/).)*+\*/\s*+|//[^\n]*+\n\s*+)*+"
    r"(?:[(!;]\s*function\b|\(\(\)\s*=>|[\"']use strict|window\."
    r"|(?:function|var|let|const|import|export)\s)",
    re.S,
)
_HTML = ("text/html", "application/xhtml+xml")
_MARKDOWN = ("text/markdown", "text/x-markdown")
_MARKDOWN_NAME = re.compile(r"\.(?:md|markdown|mdown|mkd)$", re.I)
# Content types that say nothing about the content.
_UNSAID = ("", "application/octet-stream", "application/x-unknown", "unknown/unknown", "*/*")


def kind_of(body: bytes, content_type: str | None, url: str) -> Kind:
    """Tell what the bytes are.

    Args:
        body: The bytes that the server sent.
        content_type: The server's Content-Type header. A complete page counts as HTML whatever the
            header says; JSON never does.
        url: The address. Its ending reveals a markdown file, which most servers call plain text.

    Raises:
        NotHtml: the bytes are neither a page nor a text to read.
    """
    declared = re.split("[;,]", content_type or "")[0].strip().lower()
    start = body[:_SNIFFED].removeprefix(b"\xef\xbb\xbf").decode("latin-1").replace("\x00", "")
    if _PAGE.match(start):
        return "html"
    if declared in (*_MARKDOWN, "text/plain"):
        named = _MARKDOWN_NAME.search(url.partition("?")[0])
        return "markdown" if declared in _MARKDOWN or named else "text"
    if declared not in (*_HTML, *_UNSAID):
        raise NotHtml(f"the server calls it {declared:.80}")
    if _JSON.match(start) and _is_json(body):
        raise NotHtml("it is JSON")
    if declared in _UNSAID and _SCRIPT.match(start):
        raise NotHtml("it begins like JavaScript")
    return "html"


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    except RecursionError:
        return True
    return True
