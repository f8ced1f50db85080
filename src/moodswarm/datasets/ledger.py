"""The crawl ledger as a Kedro dataset."""

from collections.abc import Callable
from itertools import chain, islice

import pyarrow as pa

from moodswarm.datasets.store_dataset import StoreDataset
from moodswarm.datasets.table_preview import TablePreview, table_preview
from moodswarm.records.ledger import table_to_ledger
from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.documents.ledger import LedgerStore
from moodswarm.stores.documents.opening import open_document_store
from moodswarm.stores.documents.protocol import DocumentStore

# A preview shows failures first, but looks for them among this many entries only.
_PREVIEWED = 1_000


def _show_nothing(visited: int, known: int) -> None:
    """Ignore the progress; the default if nobody watches the reader."""


class CrawlLedger:
    """The ledger of earlier crawls, and a callback for the progress of the next one.

    Attributes:
        documents: The documents of the entries; for reading only.
        entries: One entry for each link; for reading only.
        on_visit: Called by the reader with the numbers of links visited and known so far.
    """

    def __init__(
        self,
        documents: DocumentStore,
        entries: LedgerStore,
        on_visit: Callable[[int, int], None] = _show_nothing,
    ) -> None:
        self.documents = documents
        self.entries = entries
        self.on_visit = on_visit

    def watched(self, on_visit: Callable[[int, int], None]) -> "CrawlLedger":
        """Return the same ledger with another `on_visit`."""
        return CrawlLedger(self.documents, self.entries, on_visit)


class CrawlLedgerDataset(StoreDataset[DocumentDatabase]):
    """The outcome of every link that a crawl has come across, kept in the document store.

    Saving a batch with `LEDGER_SCHEMA` records it, see `LedgerStore.record`. Loading returns the
    ledger, which is read page by page.

    ```yaml
    crawl_ledger:
      type: moodswarm.datasets.ledger.CrawlLedgerDataset
      store: {backend: sqlite, path: data/01_raw/documents.db}
    ```

    ```yaml
    crawl_ledger:  # conf/server
      type: moodswarm.datasets.ledger.CrawlLedgerDataset
      store: {backend: mongodb, database: moodswarm}
      credentials: mongodb
    ```

    ```python
    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> from moodswarm.records.ledger import LedgerEntry, ledger_id, ledger_to_table
    >>> store = {"backend": "sqlite", "path": tempfile.mkdtemp() + "/documents.db"}
    >>> dataset = CrawlLedgerDataset(store=store)
    >>> url = "https://example.org/1"
    >>> entry = LedgerEntry(
    ...     id=ledger_id(url), source_id="s", url=url, role="page", state="queued",
    ...     round=datetime(2026, 1, 1, tzinfo=UTC),
    ... )
    >>> dataset.save(ledger_to_table([entry]))
    >>> [entry.url for page in dataset.load().entries.scan() for entry in page]
    ['https://example.org/1']
    >>> dataset.release()

    ```
    """

    def _open(self) -> DocumentDatabase:
        return open_document_store(self._config, self._credentials)

    def save(self, data: pa.Table) -> None:
        """Record a batch in one transaction."""
        if len(data):
            self.store.ledger.record(list(table_to_ledger(data)))

    def load(self) -> CrawlLedger:
        """Return the ledger, which is read page by page."""
        return CrawlLedger(self.store, self.store.ledger)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show some entries in kedro-viz, failed ones first."""
        columns = ("url", "state", "reason", "visited_at")
        pages = self.store.ledger.scan(page_rows=max(_PREVIEWED, nrows))
        try:
            entries = sorted(
                chain.from_iterable(islice(pages, 1)), key=lambda entry: entry.state != "failed"
            )
        finally:
            self.release()
        rows = [{column: getattr(entry, column) for column in columns} for entry in entries[:nrows]]
        return table_preview(rows, columns)

    def _exists(self) -> bool:
        return any(self.store.ledger.scan(page_rows=1))
