"""Fixtures shared by several parts of the test suite."""

from pathlib import Path

import pytest

from models.tiny import build_tiny_checkpoint


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files of the tests"
    )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers checkpoint of a few kilobytes, with 64 tokens and 32 dimensions."""
    return build_tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny")
