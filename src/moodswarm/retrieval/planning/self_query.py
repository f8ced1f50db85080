"""Reading author, kind and dates out of a question by rules: no model is needed.

The rules are for English questions. They would sooner miss a filter than invent one: a missed one
costs some precision, an invented one hides the answer. They read questions of up to
`MAX_CHARACTERS`; in a longer one, names and years belong to a text that was pasted into it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from moodswarm.records import Author
from moodswarm.retrieval.planning.dates import Days, find_days
from moodswarm.retrieval.planning.folding import fold, words
from moodswarm.retrieval.planning.kinds import find_kinds
from moodswarm.retrieval.planning.names import WRITINGS, find_authors, mark_authors
from moodswarm.retrieval.question import Filters

MAX_CHARACTERS = 1_000

#: A year says when sources were written only if the question speaks of writing. Otherwise it
#: belongs to the topic:
#: `what caused the bank failures in 2008`.
_SPEAKS_OF_WRITING = re.compile(
    r"\x01|\b(?:"
    + WRITINGS
    + "|"
    + words(
        "write writes wrote written say says said publish published think thinks thought mention",
        "mentioned tweet tweeted blog blogged note noted recommend recommended entries anything",
        "new posted",
    )
    + r")\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WantedSources:
    """The sources that a question asks for.

    Attributes:
        authors: Any of these.
        kinds: Any of these.
        days: When they were published.
        conflict: Says how the question contradicts itself, if it does; its days are then left out.
    """

    authors: tuple[Author, ...] = ()
    kinds: tuple[str, ...] = ()
    days: Days = field(default_factory=Days)
    conflict: str = ""


def read_question(question: str, authors: Sequence[Author], today: date) -> WantedSources:
    """Return the sources that a question asks for.

    Args:
        question: At most `MAX_CHARACTERS`; nothing is read out of a longer one.
        authors: All known; nobody else is found.
        today: The day that `last year` is counted from.
    """
    if len(question) > MAX_CHARACTERS:
        return WantedSources()
    text = fold(question)
    if text.isupper():
        text = text.lower()
    found = find_authors(text, authors)
    marked = mark_authors(text, found)
    kinds = find_kinds(marked, author_named=bool(found))
    days, conflict = Days(), ""
    if kinds or _SPEAKS_OF_WRITING.search(marked):
        try:
            days = find_days(marked, today)
        except ValueError as error:
            conflict = str(error)
    return WantedSources(found, kinds, days, conflict)


def narrow(asked: Filters, found: WantedSources) -> tuple[Filters, list[str]]:
    """Add to the caller's filters what the question itself says; never widen them.

    Returns:
        The filters, and in words where the question contradicts the caller, whose filters stay.
    """
    conflicts = [found.conflict] if found.conflict else []
    author_ids = _within(asked.author_ids, tuple(author.id for author in found.authors))
    if author_ids is None:
        names = " and ".join(author.full_name for author in found.authors)
        conflicts.append(f"the question names {names}, the filter another author")
    kinds = _within(asked.kinds, found.kinds)
    if kinds is None:
        conflicts.append(
            f"the question asks for {' and '.join(found.kinds)}, the filter for "
            f"{' and '.join(asked.kinds)}"
        )
    since = max(filter(None, (asked.since, found.days.since)), default=None)
    until = min(filter(None, (asked.until, found.days.until)), default=None)
    if since and until and since > until:
        conflicts.append(
            f"the question asks for {span(found.days.since, found.days.until)}, the filter for "
            f"{span(asked.since, asked.until)}"
        )
        since, until = asked.since, asked.until
    filters = Filters(
        author_ids=asked.author_ids if author_ids is None else author_ids,
        kinds=asked.kinds if kinds is None else kinds,
        since=since,
        until=until,
    )
    return filters, conflicts


def _within(asked: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the values that both allow, or None if there are none; empty allows everything."""
    if not asked or not found:
        return asked or found
    return tuple(each for each in asked if each in found) or None


def span(since: date | None, until: date | None) -> str:
    """Say a span of days in words, such as `since 2022-03-01`."""
    return " ".join(
        f"{word} {day}" for word, day in (("since", since), ("until", until)) if day is not None
    )
