"""The console on which summaries of runs are printed."""

import shutil
import sys
from pathlib import Path

from rich.console import Console


def console() -> Console:
    """Return the console of standard output, wide enough for tables even if not a terminal."""
    found = Console()
    return found if found.is_terminal else Console(width=120)


def command() -> str:
    """Return the command for this environment's `moodswarm`, even if it is not activated."""
    installed = Path(sys.executable).with_name("moodswarm")
    if shutil.which("moodswarm") == str(installed) or not installed.exists():
        return "moodswarm"
    here = Path.cwd()
    return str(installed.relative_to(here) if installed.is_relative_to(here) else installed)
