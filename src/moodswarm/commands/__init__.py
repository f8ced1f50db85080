"""The `moodswarm` command: what the stores hold, and ways to put things in and take them out.

Nothing here computes: commands read options, call a library and print its result.
"""

import logging

# Kedro, when first imported, tells on standard output which logging configuration it has found.
logging.getLogger("kedro.framework.project").addFilter(lambda record: record.levelno > logging.INFO)

from moodswarm.commands.main import main  # noqa: E402

__all__ = ["main"]
