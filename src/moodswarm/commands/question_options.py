"""Options and arguments of the commands that search: a question, an author, a kind, days."""

import difflib
import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal

import click

from moodswarm.commands.project import Project
from moodswarm.records import KINDS, Author
from moodswarm.retrieval.planning.folding import fold
from moodswarm.retrieval.question import MAX_QUESTION_CHARACTERS

author_option = click.option(
    "--author", metavar="NAME", help="Only what this author wrote; the full name."
)
kind_option = click.option(
    "--kind", type=click.Choice(KINDS), multiple=True, help="Only this kind; repeatable."
)


def day(end: Literal["first", "last"]) -> Callable[..., date | None]:
    """Return the callback of an option that takes 2023-05-17, 2023-05 or 2023.

    Args:
        end: Which day of a month or year to take.
    """

    def read(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
        try:
            return _read_day(value, last=end == "last") if value is not None else None
        except ValueError as error:
            raise click.BadParameter(
                f"{value!r} is not a date; expected 2023, 2023-05 or 2023-05-17"
            ) from error

    return read


def _read_day(text: str, *, last: bool) -> date:
    if not re.fullmatch(r"\d{4}(-\d{2}){0,2}", text):
        raise ValueError(text)
    year, *rest = (int(part) for part in text.split("-"))
    month = rest[0] if rest else (12 if last else 1)
    first = date(year, month, 1)
    if len(rest) > 1:
        return date(year, month, rest[1])
    return first.replace(day=monthrange(year, month)[1]) if last else first


def read_question(words: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the question, and a warning if only its beginning is read.

    Raises:
        click.BadParameter: the question is empty.
    """
    # Bytes in an argument that are not UTF-8 arrive as characters that cannot be encoded.
    text = " ".join(words).encode("utf-8", "replace").decode().strip()
    if not text:
        raise click.BadParameter(
            'the question is empty; expected one, such as moodswarm ask "what is said about tea"',
            param_hint="QUESTION",
        )
    if len(text) <= MAX_QUESTION_CHARACTERS:
        return text, []
    return text[:MAX_QUESTION_CHARACTERS].rstrip(), [
        f"the question has {len(text):,} characters; the first {MAX_QUESTION_CHARACTERS:,} are read"
    ]


def known_author(project: Project, name: str) -> Author:
    """Return the author with this full name.

    Raises:
        click.BadParameter: no author has this name; the message suggests the nearest ones.
    """
    try:
        wanted = Author.from_full_name(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--author") from error
    authors = project.documents.authors()
    if wanted.id in {author.id for author in authors}:
        return wanted
    near = _nearest(wanted.full_name, sorted({author.full_name for author in authors}))
    hint = f"did you mean {' or '.join(near)}?" if near else "the document store has no authors"
    raise click.BadParameter(f"no author {name!r}; {hint}", param_hint="--author")


def _nearest(wanted: str, names: Sequence[str]) -> list[str]:
    """Return the most similar names and those with a word in common; if none, the first names."""
    keys = {name: fold(name).casefold() for name in names}
    key = fold(wanted).casefold()
    close = difflib.get_close_matches(key, keys.values(), n=3, cutoff=0.5)
    near = [name for each in dict.fromkeys(close) for name in names if keys[name] == each]
    shared = [name for name in names if {*key.split()} & {*keys[name].split()}]
    return list(dict.fromkeys(near + shared))[:3] or list(names[:5])
