"""Fixtures that several parts of the suite share."""

from pathlib import Path

import pytest

from models.tiny import build_tiny_checkpoint


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files of the tests anew"
    )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers checkpoint of a few kilobytes: 64 tokens, vectors of 32."""
    return build_tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny")
