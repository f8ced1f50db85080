"""Stable ids: the same thing has the same id on every machine and in every run."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/moodswarm")


def document_id(link: str) -> str:
    """Return the id of the document at a canonical link, see `canonical_link`."""
    return str(uuid.uuid5(NAMESPACE, f"document:{link}"))


def author_id(full_name: str) -> str:
    """Return the id of the author with this full name, in the form that `author_name` returns."""
    return str(uuid.uuid5(NAMESPACE, f"author:{full_name.casefold()}"))


def chunk_id(document_id: str, position: int, text: str) -> str:
    """Return the id of the chunk at `position` (0, 1, ...) of a document.

    The same text in two documents, or twice in one document, has different ids.
    """
    return str(uuid.uuid5(NAMESPACE, f"chunk:{document_id}:{position}:{text}"))


def digest(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 (64 hex digits) of a JSON-like mapping, whatever the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
