"""Fixture: an empty document store of each backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.document_stores import BACKENDS, open_store, wire_server
from moodswarm.stores.documents.database import DocumentDatabase


@pytest.fixture(scope="module")
def wire_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with wire_server(tmp_path_factory.mktemp("wire")) as uri:
        yield uri


@pytest.fixture(params=BACKENDS)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, wire_uri: str
) -> Iterator[DocumentDatabase]:
    with open_store(request.param, tmp_path, wire_uri) as opened:
        yield opened
