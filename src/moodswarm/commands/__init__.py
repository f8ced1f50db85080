"""The `moodswarm` command: what is in the stores, and getting things in and out of them."""

import logging

# Kedro, when first imported, tells on standard output which logging configuration it has found.
logging.getLogger("kedro.framework.project").addFilter(lambda record: record.levelno > logging.INFO)

from moodswarm.commands.main import main  # noqa: E402

__all__ = ["main"]
