"""Documents to import, and helpers that import them and show what changed in a store."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from moodswarm.imports.export import export_documents
from moodswarm.imports.importing import ImportReport, import_documents
from moodswarm.imports.items import Place
from moodswarm.records import Document
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore

EARLY, LATE = datetime(2001, 2, 3, tzinfo=UTC), datetime(2031, 2, 3, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "link": "https://example.org/good",
    "kind": "post",
    "platform": "blog",
    "author_full_name": "Ada Lovelace",
    "content": "Good.",
}
ARTICLE: dict[str, Any] = {
    "_id": "a964f3ac-e92f-4fcb-847a-a46da3d697d9",
    "content": {"Title": "Title", "Subtitle": "Sub", "Content": "Text.", "language": "en"},
    "platform": "medium",
    "author_id": "eff74089-0271-4319-8543-745c087f4f61",
    "author_full_name": "Ada Lovelace",
    "link": "https://medium.com/a",
}


#: Any text that can be written as UTF-8.
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def exported(store: SqliteDocumentStore) -> bytes:
    stream = io.BytesIO()
    export_documents(store, stream)
    return stream.getvalue()


def load(store: SqliteDocumentStore, path: Path, data: Any, **options: Any) -> ImportReport:
    """Import a file of the given bytes, or of the given values as JSON lines."""
    if isinstance(data, list):
        data = "".join(f"{json.dumps(value)}\n" for value in data)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return import_documents(store, [path], **options)


def only(store: SqliteDocumentStore) -> Document:
    (document,) = [d for page in store.scan_documents(include_deleted=True) for d in page]
    return document


def reasons(report: ImportReport) -> list[tuple[Place, str]]:
    return [(failure.where, failure.reason) for failure in report.rejected]
