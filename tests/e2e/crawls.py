"""Crawls that use Kedro's runner but no session, so that they start fast and can be killed."""

import os
import sys
from pathlib import Path
from typing import Any

from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from moodswarm.datasets.batches import BatchesDataset
from moodswarm.datasets.documents import DocumentsDataset
from moodswarm.datasets.ledger import CrawlLedgerDataset
from moodswarm.pipelines.crawl import create_pipeline
from moodswarm.pipelines.crawl.parameters import CrawlParams
from moodswarm.records import Document
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore


def crawl(folder: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run the crawl pipeline on a folder and return its report.

    Its child processes have the folder in their environment, so that a test can find them.
    """
    os.environ["MOODSWARM_TEST"] = str(folder)
    store = {"backend": "sqlite", "path": str(folder / "documents.db")}
    catalog = DataCatalog(
        {
            "documents": DocumentsDataset(store=store),
            "crawl_ledger": CrawlLedgerDataset(store=store),
            "updated_crawl_ledger": CrawlLedgerDataset(store=store),
            "crawl_visits": BatchesDataset(path=str(folder / "visits")),
            "crawl_report": MemoryDataset(),
            "params:crawl": MemoryDataset(CrawlParams.model_validate(parameters)),
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    report: dict[str, Any] = catalog.load("crawl_report")
    return report


def crawl_quietly(folder: Path, parameters: dict[str, Any]) -> None:
    """Crawl without output, as the only work of a process that may be killed."""
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        crawl(folder, parameters)


def stored(folder: Path) -> dict[str, Document]:
    """Return the documents of a folder by link."""
    store = SqliteDocumentStore(folder / "documents.db")
    documents = {d.link: d for page in store.scan_documents() for d in page}
    store.close()
    return documents
