"""Reads author, kind and dates out of a question by rules, without a model.

The rules are for English questions. They would sooner miss a filter than invent one: a missed
filter costs some precision, an invented one hides the answer. They read questions of up to
`MAX_CHARACTERS`; in a longer question, names and years belong to a text that was pasted into it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from moodswarm.records import Author
from moodswarm.retrieval.planning.dates import Days, find_days
from moodswarm.retrieval.planning.folding import Folded, Span, words
from moodswarm.retrieval.planning.kinds import find_kinds
from moodswarm.retrieval.planning.names import (
    WRITINGS,
    find_authors,
    mark_authors,
    writer_phrases,
)
from moodswarm.retrieval.question import Filters
from moodswarm.text.stop_words import STOP_WORDS

MAX_CHARACTERS = 1_000

#: A year says when sources were written only if the question speaks of writing. Otherwise the
#: year belongs to the topic: `what caused the bank failures in 2008`.
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

#: The preposition before words that are left out, as in `in her posts`.
_PREPOSITION = re.compile(
    r"(?:\b(?:written|published|posted) )?\b(?:in|from|of|by|among|across|through|throughout) \Z"
    r"|\b(?:written|published|posted) \Z",
    re.IGNORECASE,
)
_CUT = re.compile(r"\s*\0[\s\0]*(?=(?P<sign>[?.!,;:])?)")
_EDGES = re.compile(r"\A[\s,;:.!?-]+|[\s,;:-]+\Z")
#: A question that consists of these words alone has no topic.
_SAYS_NOTHING = STOP_WORDS["english"] | {
    *"else ever anything something everything write writes wrote written say says said".split(),
    *"publish published post posted think thinks thought mention mentioned".split(),
}


@dataclass(frozen=True, slots=True)
class WantedSources:
    """The sources that a question asks for.

    Attributes:
        authors: The sources are by any of these authors.
        kinds: The sources are of any of these kinds.
        days: When the sources were published.
        conflict: Says how the question contradicts itself, if it does; `days` is then left open.
        spans: The words of the question that name the `authors`, `kinds` and `days`.
    """

    authors: tuple[Author, ...] = ()
    kinds: tuple[str, ...] = ()
    days: Days = field(default_factory=Days)
    conflict: str = ""
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)


def read_question(question: str, authors: Sequence[Author], today: date) -> WantedSources:
    """Return the sources that a question asks for.

    Args:
        question: At most `MAX_CHARACTERS` long; nothing is read out of a longer question.
        authors: All known authors; nobody else is found.
        today: The day that `last year` is counted from.
    """
    if len(question) > MAX_CHARACTERS:
        return WantedSources()
    folded = Folded.of(question)
    if folded.text.isupper():
        folded = Folded(folded.text.lower(), folded.places)
    found, names = find_authors(folded.text, authors)
    marked = mark_authors(folded, found)
    kinds, kind_words = find_kinds(marked.text, author_named=bool(found))
    days, day_words, conflict = Days(), list[Span](), ""
    if kinds or _SPEAKS_OF_WRITING.search(marked.text):
        try:
            days, day_words = find_days(marked.text, today)
        except ValueError as error:
            conflict = str(error)
    spans = {
        "authors": _with_phrases(folded.original(names), marked),
        "kinds": marked.original(kind_words),
        "days": marked.original(day_words),
    }
    return WantedSources(found, kinds, days, conflict, {k: v for k, v in spans.items() if v})


def _with_phrases(names: Iterable[Span], marked: Folded) -> tuple[Span, ...]:
    """Widen the places of names to the phrases around them, such as `did Mira write`."""
    phrases = marked.original(writer_phrases(marked.text))
    return tuple(
        next(((a, b) for a, b in phrases if a < end and start < b), (start, end))
        for start, end in names
    )


def search_text(question: str, filters: Filters, found: WantedSources) -> str:
    """Return the question without the words that became filters.

    Every passage that is searched meets the filters, so these words cannot tell a good passage
    from a bad one. They would only favour passages that repeat them, such as a copyright line.

    Args:
        question: The question as it was asked.
        filters: The filters of the search.
        found: What was read out of the question. The words for a part of it stay in the text if
            the filters do not hold that part.

    Returns:
        The shortened question, or the whole one if no words to search for would be left.
    """
    spans = [
        (start if part == "authors" else _with_preposition(question, start), end)
        for part in _held(filters, found)
        for start, end in found.spans.get(part, ())
    ]
    parts: list[str] = []
    end = 0
    for start, after in sorted(spans):
        parts.append(question[end:start])
        end = max(end, after)
    joined = _CUT.sub(lambda cut: "" if cut["sign"] else " ", "\0".join([*parts, question[end:]]))
    text = _EDGES.sub("", " ".join(joined.split())) if spans else question
    left = {word.casefold() for word in re.findall(r"\w+", text)}
    return text if left - _SAYS_NOTHING else question


def _with_preposition(question: str, start: int) -> int:
    match = _PREPOSITION.search(question, 0, start)
    return match.start() if match else start


def _held(filters: Filters, found: WantedSources) -> list[str]:
    """Return the parts of what was found that the filters hold; a caller can overrule some."""
    authors = {author.id for author in found.authors}
    since, until = found.days.since, found.days.until
    held = {
        "authors": bool(filters.author_ids) and {*filters.author_ids} <= authors,
        "kinds": bool(filters.kinds) and {*filters.kinds} <= {*found.kinds},
        "days": not (since and not (filters.since and filters.since >= since))
        and not (until and not (filters.until and filters.until <= until)),
    }
    return [part for part, whole in held.items() if whole]


def narrow(asked: Filters, found: WantedSources) -> tuple[Filters, list[str]]:
    """Add to the caller's filters what the question itself says; never widen them.

    Returns:
        The filters, and a description of each point on which the question contradicts the caller,
        whose filters are kept there.
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
    """Return the values that both allow, or None if there are none; an empty tuple allows all."""
    if not asked or not found:
        return asked or found
    return tuple(each for each in asked if each in found) or None


def span(since: date | None, until: date | None) -> str:
    """Say a span of days in words, such as `since 2022-03-01`."""
    return " ".join(
        f"{word} {day}" for word, day in (("since", since), ("until", until)) if day is not None
    )
