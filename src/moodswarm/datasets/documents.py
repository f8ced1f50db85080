"""The document store as a Kedro dataset."""

from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from moodswarm.datasets.previews import TablePreview, table_preview
from moodswarm.records.document import table_to_documents
from moodswarm.stores.documents import DocumentStore, open_document_store


class DocumentsDataset(AbstractDataset[pa.Table, DocumentStore]):
    """Documents in SQLite or MongoDB.

    Saving a batch of `DOCUMENT_SCHEMA` upserts it; loading gives the store, to be read page by
    page.

    ```yaml
    documents:
      type: moodswarm.datasets.documents.DocumentsDataset
      store: {backend: sqlite, path: data/01_raw/documents.db}
    ```

    ```yaml
    documents:  # conf/server
      type: moodswarm.datasets.documents.DocumentsDataset
      store: {backend: mongodb, database: moodswarm}
      credentials: mongodb
    ```

    ```python
    >>> import tempfile
    >>> from moodswarm.records import Document
    >>> from moodswarm.records.document import documents_to_table
    >>> store = {"backend": "sqlite", "path": tempfile.mkdtemp() + "/documents.db"}
    >>> dataset = DocumentsDataset(store=store)
    >>> document = Document.create(
    ...     kind="post", platform="blog", link="https://example.org/1",
    ...     author_full_name="Ada Lovelace", content="Hello",
    ... )
    >>> dataset.save(documents_to_table([document]))
    >>> [d.content for page in dataset.load().scan_documents() for d in page]
    ['Hello']

    ```
    """

    def __init__(
        self,
        *,
        store: dict[str, Any],
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._config = store
        self._credentials = credentials
        self.metadata = metadata

    @cached_property
    def store(self) -> DocumentStore:
        """The open store; opened at first use."""
        return open_document_store(self._config, self._credentials)

    def save(self, data: pa.Table) -> None:
        """Upsert a batch.

        Raises:
            DatasetError: some documents could not be stored; names each and why. The others are.
        """
        failed = self.store.upsert_documents(list(table_to_documents(data))).failed
        if failed:
            reasons = "; ".join(f"{failure.link}: {failure.reason}" for failure in failed)
            raise DatasetError(f"{len(failed)} of {len(data)} documents not stored: {reasons}")

    def load(self) -> DocumentStore:
        """Return the store."""
        return self.store

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first documents in kedro-viz."""
        columns = ("kind", "title", "author_full_name", "published_at", "link", "content")
        pages = self.store.scan_documents(page_documents=nrows)
        documents = islice((document for page in pages for document in page), nrows)
        try:
            rows = [
                {column: getattr(document, column) for column in columns} for document in documents
            ]
        finally:
            self.release()
        return table_preview(rows, columns)

    def _release(self) -> None:
        if "store" in self.__dict__:
            self.__dict__.pop("store").close()

    def _exists(self) -> bool:
        counts = self.store.status().counts
        return any(counts.values())

    def _describe(self) -> dict[str, Any]:
        return {"store": self._config}
