"""Fixtures for the tests of language models."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _levels_of_the_test_alone() -> Iterator[None]:
    """Undo the log levels that commands and Kedro set for the whole program; `caplog` sets them."""
    loggers = [logging.getLogger(name) for name in ("moodswarm", "moodswarm.llm")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
