"""The promises that every dataset in the project keeps."""

import doctest
import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kedro.io import AbstractDataset

from moodswarm.datasets import batches, chat, documents, ledger, recorded, vectors
from moodswarm.datasets.batches import BatchesDataset
from moodswarm.datasets.documents import DocumentsDataset
from moodswarm.datasets.ledger import CrawlLedgerDataset
from moodswarm.datasets.vectors import CollectionsDataset, FeatureIndexDataset
from moodswarm.records import FEATURE_INDEX_SCHEMA, Document
from moodswarm.records.document import documents_to_table
from moodswarm.records.ledger import LedgerEntry, ledger_id, ledger_to_table

POINT = "9312f13e-00a5-5988-af2e-f1e2c3917002"


def post() -> Document:
    return Document.create(
        kind="post",
        platform="blog",
        link="https://example.org/1",
        author_full_name="Ada Lovelace",
        content="Hello",
    )


def entry() -> LedgerEntry:
    url = "https://example.org/1"
    return LedgerEntry(
        id=ledger_id(url),
        source_id="s",
        url=url,
        role="page",
        state="done",
        round=datetime(2026, 1, 1, tzinfo=UTC),
    )


def edge(folder: Path) -> dict[str, Any]:
    return {"backend": "edge", "path": str(folder / "qdrant")}


def make(name: str, folder: Path) -> tuple[AbstractDataset[Any, Any], pa.Table]:
    """Return an empty dataset, and data that can be saved to it."""
    if name == "batches":
        return BatchesDataset(path=str(folder / "pages")), pa.table({"n": [1]})
    sqlite = {"backend": "sqlite", "path": str(folder / "documents.db")}
    if name == "documents":
        return DocumentsDataset(store=sqlite), documents_to_table([post()])
    if name == "crawl_ledger":
        return CrawlLedgerDataset(store=sqlite), ledger_to_table([entry()])
    if name == "collections":
        point = {"id": POINT, "kind": "post", "document_id": POINT, "text": "Hello"}
        return CollectionsDataset(layer="cleaned", store=edge(folder)), pa.Table.from_pylist(
            [point]
        )
    row = {"id": POINT, "kind": "post", "revision": "r", "status": "embedded", "chunks": 1}
    rows = pa.Table.from_pylist([{"reason": None, **row}], schema=FEATURE_INDEX_SCHEMA)
    return FeatureIndexDataset(store=edge(folder)), rows


@pytest.fixture(params=["batches", "documents", "crawl_ledger", "collections", "feature_index"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    dataset, data = make(request.param, tmp_path)
    yield dataset, data
    dataset.release()


def test_it_exists_once_something_is_saved(case: Any) -> None:
    dataset, data = case
    assert not dataset.exists()
    dataset.save(data)
    assert dataset.exists()


def test_saving_the_same_twice_keeps_one(case: Any) -> None:
    dataset, data = case
    dataset.save(data)
    dataset.release()
    dataset.load()
    dataset.save(data)
    assert len(dataset.preview(nrows=10)["data"]) == 1


def test_an_empty_batch_is_fine(case: Any) -> None:
    dataset, data = case
    dataset.save(data.slice(0, 0))
    assert dataset.preview()["data"] == []


def test_it_can_be_used_after_a_release(case: Any) -> None:
    dataset, data = case
    dataset.save(data)
    dataset.release()
    assert dataset.exists()


def test_its_arguments_have_names(case: Any) -> None:
    parameters = inspect.signature(type(case[0]).__init__).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters if p.name not in ("self", "_init_args"))


def test_its_description_shows_no_credentials(tmp_path: Path) -> None:
    secret = {"uri": "mongodb://ada:very-secret@db.example"}
    dataset = DocumentsDataset(store={"backend": "mongodb", "database": "d"}, credentials=secret)
    assert "very-secret" not in str(dataset)
    assert "very-secret" not in repr(dataset)


def test_a_preview_is_a_type_that_kedro_viz_knows(case: Any) -> None:
    annotation = inspect.signature(type(case[0]).preview).return_annotation
    assert annotation.__name__ == "TablePreview"


@pytest.mark.parametrize(
    "module", [batches, chat, documents, ledger, recorded, vectors], ids=lambda m: m.__name__
)
def test_the_examples_in_docstrings_run(module: Any) -> None:
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
