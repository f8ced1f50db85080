"""Opens the vector store that a catalog entry describes."""

from collections.abc import Mapping
from typing import Any

from moodswarm.stores.option_check import open_checked
from moodswarm.stores.vectors.protocol import VectorStore


def open_vector_store(
    config: Mapping[str, Any], credentials: Mapping[str, Any] | None = None
) -> VectorStore:
    """Open the store that a catalog entry describes.

    Args:
        config: `{"backend": "edge", "path": ..., "lock_timeout": seconds}` or
            `{"backend": "server", "prefix": ...}`; other keys are the backend's options.
        credentials: `{"url": ..., "api_key": ...}` for a server.

    Raises:
        ValueError: the backend is unknown, or an option is wrong.
        StoreError: the store cannot be opened.
    """
    options = dict(config)
    backend = options.pop("backend", None)
    if backend == "edge":
        from moodswarm.stores.vectors.edge.store import EdgeVectorStore

        return open_checked(EdgeVectorStore, options)
    if backend == "server":
        from moodswarm.stores.vectors.server.store import ServerVectorStore

        return open_checked(ServerVectorStore, {**options, **(credentials or {})})
    raise ValueError(f"unknown vector store backend {backend!r}; use edge or server")
