"""The console on which summaries of runs are printed.

Texts from pages, archives and models may contain characters that control a terminal: they could
rename its window, hide lines or forge them. All such characters are removed before printing.
"""

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

# The last two ranges reverse the direction of the text after them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return a text that others wrote, without the characters that control a terminal."""
    return _CONTROLS.sub("", text)


class _Console(Console):
    """Prints untrusted texts; only rich itself sets colours and styles."""

    def render_str(self, text: str, **options: Any) -> Text:
        # Characters are removed before the text is measured, so that columns stay aligned.
        return super().render_str(printable(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            own = segment.control
            yield segment if own else Segment(printable(segment.text), segment.style)


def console(*, stderr: bool = False) -> Console:
    """Return a console for standard output or error, wide enough for tables in a file too."""
    found = _Console(stderr=stderr)
    return found if found.is_terminal else _Console(stderr=stderr, width=120)


def command() -> str:
    """Return the command that starts this environment's `moodswarm`, activated or not."""
    installed = Path(sys.executable).with_name("moodswarm")
    if shutil.which("moodswarm") == str(installed) or not installed.exists():
        return "moodswarm"
    here = Path.cwd()
    return str(installed.relative_to(here) if installed.is_relative_to(here) else installed)
