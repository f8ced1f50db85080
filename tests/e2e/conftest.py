"""Fixtures for end-to-end tests."""

import subprocess
from types import SimpleNamespace

import pytest

from moodswarm.crawl import parent


@pytest.fixture
def forked_crawlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork crawlers instead of starting each by its command, which would take most of the time."""
    from e2e.forks import ForkedCrawler

    starting = SimpleNamespace(**vars(subprocess))
    starting.Popen = ForkedCrawler
    monkeypatch.setattr(parent, "subprocess", starting)
