"""A git server for the tests of a module, and a separate folder for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crawl.git_server import GitServer, serve_git


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    with serve_git(folder) as running:
        yield running


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder for clones; a test may check that nothing is left there."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder
