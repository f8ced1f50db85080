"""A run can read what the previous run recorded."""

from pathlib import Path

import pytest
from kedro.io import DatasetError
from kedro.io.core import Version
from kedro_datasets.json import JSONDataset

from moodswarm.datasets.recorded import RecordedDataset


def test_nothing_was_recorded_yet(tmp_path: Path) -> None:
    path = str(tmp_path / "q.json")
    assert RecordedDataset(filepath=path).load() is None
    assert RecordedDataset(filepath=path, version=Version(None, None)).load() is None


def test_the_newest_version_is_loaded(tmp_path: Path) -> None:
    path = str(tmp_path / "q.json")
    for stamp in ("2026-01-02T00.00.00.000Z", "2026-01-01T00.00.00.000Z"):
        JSONDataset(filepath=path, version=Version(stamp, stamp)).save({"at": stamp})
    newest = RecordedDataset(filepath=path, version=Version(None, None))
    assert newest.load() == {"at": "2026-01-02T00.00.00.000Z"}


def test_a_broken_file_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "q.json").write_text('{"questions": [')
    with pytest.raises(DatasetError, match=r"q\.json is not valid JSON .*Delete it; the next run"):
        RecordedDataset(filepath=str(tmp_path / "q.json")).load()
