"""Fixtures for the retriever's tests."""

from collections.abc import Iterator

import pytest

from retrieval.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.fill()
    yield world
    world.close()
