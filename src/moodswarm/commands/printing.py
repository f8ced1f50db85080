"""Functions that all commands print with, so that text from outside cannot steer the terminal."""

import json
import re
from typing import Any

import click

from moodswarm.pipelines.console import printable

# JSON itself escapes the first 32 characters. These others also steer some terminals.
_UNESCAPED = re.compile(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def echo(text: str, *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print a text without the characters in it that steer a terminal.

    Args:
        text: A text of any origin.
        err: Whether to print to standard error.
        nl: Whether to end the line.
        style: Arguments for `click.style`, such as `fg="red"`.
    """
    click.echo(click.style(printable(text), **style) if style else printable(text), err=err, nl=nl)


def one_line(text: object) -> str:
    """Return a text on one line, so that no part of it can pose as a line from MoodSwarm itself."""
    return " ".join(str(text).split())


def print_json(data: Any) -> None:
    """Write JSON to standard output."""
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
    click.echo(_UNESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text))
