"""Fixtures shared by several parts of the test suite."""

import os
from pathlib import Path

import pytest

from models.tiny import build_tiny_checkpoint

# The models of tests are tiny, so more threads of torch only wait for each other, by spinning: 38
# CPU-seconds instead of 33 in two files. Tests that are about threads set their own number.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files of the tests"
    )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers checkpoint of a few kilobytes, with 64 tokens and 32 dimensions."""
    return build_tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny")
