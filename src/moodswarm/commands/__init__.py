"""The `moodswarm` command: looks into the stores, fills and empties them, and answers questions.

Nothing here computes: commands read options, call a library and print its result.
"""

import logging

# When first imported, Kedro reports on standard output which logging configuration it has found.
logging.getLogger("kedro.framework.project").addFilter(lambda record: record.levelno > logging.INFO)

from moodswarm.commands.main import main  # noqa: E402

__all__ = ["main"]
