"""Fixtures of end-to-end tests."""

import subprocess
from types import SimpleNamespace

import pytest

from moodswarm.crawl import parent


@pytest.fixture
def forked_crawlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork crawlers instead of starting each by its command, which takes most of their time."""
    from e2e.forks import ForkedCrawler

    starting = SimpleNamespace(**vars(subprocess))
    starting.Popen = ForkedCrawler
    monkeypatch.setattr(parent, "subprocess", starting)
