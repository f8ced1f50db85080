"""The one way in which commands print: nothing from outside can steer the terminal."""

import json
import re
from typing import Any

import click

from moodswarm.pipelines.console import printable

# JSON escapes the first 32 characters itself. The others steer some terminals as well.
_UNESCAPED = re.compile(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def echo(text: str, *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print a text without the characters in it that steer a terminal.

    Args:
        text: May be of any origin.
        err: Print to standard error.
        nl: End the line.
        style: As of `click.style`, such as `fg="red"`.
    """
    click.echo(click.style(printable(text), **style) if style else printable(text), err=err, nl=nl)


def one_line(text: object) -> str:
    """Return a text on one line, so that it cannot pose as a line of our own."""
    return " ".join(str(text).split())


def print_json(data: Any) -> None:
    """Write JSON to standard output."""
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
    click.echo(_UNESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text))
