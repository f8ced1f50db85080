"""Where the summaries of runs are printed."""

import shutil
import sys
from pathlib import Path

from rich.console import Console


def console() -> Console:
    """Where people read: wide enough for a table when it is not a terminal."""
    found = Console()
    return found if found.is_terminal else Console(width=120)


def command() -> str:
    """Return how to call `moodswarm` of this environment, which need not be activated."""
    installed = Path(sys.executable).with_name("moodswarm")
    if shutil.which("moodswarm") == str(installed) or not installed.exists():
        return "moodswarm"
    here = Path.cwd()
    return str(installed.relative_to(here) if installed.is_relative_to(here) else installed)
