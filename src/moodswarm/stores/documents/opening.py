"""Opens the document store that a catalog entry describes."""

from collections.abc import Mapping
from typing import Any

from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.option_check import open_checked


def open_document_store(
    config: Mapping[str, Any], credentials: Mapping[str, Any] | None = None
) -> DocumentDatabase:
    """Open the store that a catalog entry describes.

    Args:
        config: `{"backend": "sqlite", "path": ...}` or
            `{"backend": "mongodb", "database": ...}`; other keys are the backend's options.
        credentials: `{"uri": "mongodb://..."}` for MongoDB.

    Raises:
        ValueError: the backend is unknown, an option is wrong, or the URI is missing.
        StoreError: the store cannot be opened.
    """
    options = dict(config)
    backend = options.pop("backend", None)
    if backend == "sqlite":
        from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore

        return open_checked(SqliteDocumentStore, options)
    if backend == "mongodb":
        from moodswarm.stores.documents.mongodb.store import MongoDocumentStore

        options |= credentials or {}
        if not options.get("uri"):
            raise ValueError(
                "the mongodb document store has no uri; give one as credentials, "
                "such as mongodb://localhost:27017"
            )
        return open_checked(MongoDocumentStore, options)
    raise ValueError(f"unknown document store backend {backend!r}; use sqlite or mongodb")
