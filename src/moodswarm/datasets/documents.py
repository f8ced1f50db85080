"""The document store as a Kedro dataset."""

from itertools import islice

import pyarrow as pa
from kedro.io import DatasetError

from moodswarm.datasets.store_dataset import StoreDataset
from moodswarm.datasets.table_preview import TablePreview, table_preview
from moodswarm.records.document import table_to_documents
from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.documents.opening import open_document_store


class DocumentsDataset(StoreDataset[DocumentDatabase]):
    """Documents in SQLite or MongoDB.

    Saving a batch with `DOCUMENT_SCHEMA` upserts it. Loading returns the store, which is read page
    by page.

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

    def _open(self) -> DocumentDatabase:
        return open_document_store(self._config, self._credentials)

    def save(self, data: pa.Table) -> None:
        """Upsert a batch.

        Raises:
            DatasetError: some documents could not be stored. The message names them and the
                reasons; all others are stored.
        """
        failed = self.store.upsert_documents(list(table_to_documents(data))).failed
        if failed:
            reasons = "; ".join(f"{failure.link}: {failure.reason}" for failure in failed)
            raise DatasetError(f"{len(failed)} of {len(data)} documents were not stored: {reasons}")

    def load(self) -> DocumentDatabase:
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

    def _exists(self) -> bool:
        counts = self.store.status().counts
        return any(counts.values())
