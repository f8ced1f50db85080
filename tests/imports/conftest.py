"""Fixtures: two empty document stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteDocumentStore]:
    opened = SqliteDocumentStore(tmp_path / "documents.db")
    yield opened
    opened.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SqliteDocumentStore]:
    opened = SqliteDocumentStore(tmp_path / "other.db")
    yield opened
    opened.close()
