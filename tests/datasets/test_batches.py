"""Batches are written and read as pages on disk."""

from pathlib import Path

import pyarrow as pa
import pytest
from kedro.io import DatasetError

from moodswarm.datasets.batches import BatchesDataset


@pytest.fixture
def dataset(tmp_path: Path) -> BatchesDataset:
    return BatchesDataset(path=str(tmp_path / "pages"))


def page(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int64())})


def contents(dataset: BatchesDataset) -> list[list[int]]:
    return [page["n"].to_pylist() for page in dataset.load()]


def test_saves_add_pages_in_order(dataset: BatchesDataset) -> None:
    for number in range(12):
        dataset.save(page(number))
    assert contents(dataset) == [[number] for number in range(12)]


def test_a_new_run_starts_afresh(dataset: BatchesDataset, tmp_path: Path) -> None:
    dataset.save(page(1))
    dataset.save(page(2))
    again = BatchesDataset(path=str(tmp_path / "pages"))
    again.save(page(3))
    assert contents(again) == [[3]]


def test_a_save_after_a_load_starts_afresh(dataset: BatchesDataset) -> None:
    dataset.save(page(1))
    dataset.load()
    dataset.save(page(2))
    assert contents(dataset) == [[2]]


def test_an_empty_page_keeps_its_schema(dataset: BatchesDataset) -> None:
    dataset.save(page())
    (only,) = dataset.load()
    assert only.schema == page().schema


def test_pages_can_be_read_twice_and_counted(dataset: BatchesDataset) -> None:
    dataset.save(page(1, 2))
    dataset.save(page(3))
    batches = dataset.load()
    assert list(batches) == list(batches)
    assert (len(batches), batches.num_rows) == (2, 3)


def test_watched_pages_are_reported_when_done(dataset: BatchesDataset) -> None:
    dataset.save(page(1))
    dataset.save(page(2, 3))
    seen: list[int] = []
    reading = iter(dataset.load().watched(seen.append))
    next(reading)
    assert seen == []
    list(reading)
    assert seen == [1, 2]


def test_an_unfinished_page_is_not_read(dataset: BatchesDataset, tmp_path: Path) -> None:
    dataset.save(page(1))
    (tmp_path / "pages" / "page-000001.unfinished").write_bytes(b"half")
    assert contents(dataset) == [[1]]


def test_loading_nothing_names_the_remedy(dataset: BatchesDataset) -> None:
    with pytest.raises(DatasetError, match="no batches at .*kedro run --pipeline=feature"):
        dataset.load()


def test_a_preview_shows_the_first_rows(dataset: BatchesDataset) -> None:
    dataset.save(page(1))
    dataset.save(page(2, 3))
    assert dataset.preview(nrows=2)["data"] == [[1], [2]]
