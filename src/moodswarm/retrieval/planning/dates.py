"""When the sources that a question asks for were published, found by rules for English questions.

Only a date after a preposition counts (`in 2023`, `since March 2022`, `between 2019 and 2021`), or
a span relative to today (`last year`). A year that describes something (`the 2008 crisis`) is part
of the topic.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from moodswarm.retrieval.planning.folding import Span, words

_MONTHS = (
    "january february march april may june july august september october november december".split()
)
_MONTH = "(?:" + "|".join(f"{name}|{name[:4]}|{name[:3]}" for name in _MONTHS) + r")\.?"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:{_YEAR}-\d\d-\d\d|{_YEAR}-\d\d|{_DAY} (?:of )?{_MONTH},? {_YEAR}"
    rf"|{_MONTH} {_DAY},? {_YEAR}|{_MONTH},? (?:of )?{_YEAR}|{_YEAR})"
)
#: What may follow a date. A noun may not, as the date would describe it: `since 2008 banks`.
_END = (
    r"(?=$|[^\w\s'.,-]|[.,](?!\w)|,? "
    + words(
        "about and or on by did do does what which who how is was were are that to for with the a",
        "in at from has have had she he they i we it only as until till before after since when",
        "where why but not than",
    )
    + r"(?!\w)|,? \x01)"
)
_RANGE = re.compile(
    rf"\b(?:between (?P<a>{_DATE}) and|from (?P<b>{_DATE}) (?:to|until|till|through)"
    rf"|in (?P<c>{_YEAR}) ?-) ?(?P<end>{_DATE}){_END}",
    re.IGNORECASE,
)
#: `in 2021, 2022 and 2023`, `more in 2022 than in 2023`: all of them are asked for.
_MORE = rf"(?:(?:,? (?:and|or|than|to|through|until|till)|,) (?:in |during |on )?{_DATE})*"
_SINGLE = re.compile(
    r"\b(?:(?P<among>in|during|on)|(?P<word>since|from|after|before|until|till|up to|through)) "
    rf"(?P<dates>{_DATE}(?(among){_MORE}))(?(word)(?P<onward> on(?:wards?)?(?!\w))?){_END}",
    re.IGNORECASE,
)
_COUNTS = {"few": 3} | {
    name: count
    for count, name in enumerate(
        "two three four five six seven eight nine ten eleven twelve".split(), 2
    )
}
_LAST = re.compile(
    r"(?:\b(?P<word>about|since|from|after|before|until|till|up to|through) )?"
    r"\b(?:(?P<this>this|last) (?P<unit>year|month|week)(?!\w|'|-)"
    r"|(?P<day>yesterday|today)(?!\w|'))"
    r"|\b(?:in|over|during|within|from|of) the (?:last|past) "
    rf"(?:(?P<count>\d{{1,3}}|{words(*_COUNTS)}) )?(?P<span>day|week|month|year)s?(?!\w|'|-)",
    re.IGNORECASE,
)
#: `today` counts only after a word about writing, so it does not in `how is tea made today`.
_WRITTEN_TODAY = re.compile(
    r"\b(?:write|wrote|written|say|said|posts?|posted|publish|published|new) \Z", re.IGNORECASE
)
#: `how did views change from 2020` also asks for the years after 2020.
_CHANGE = re.compile(
    r"\b(?:chang|evolv|differ|shift|mov|drift|develop|grow|grew)\w* \Z", re.IGNORECASE
)
_SPAN_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True, slots=True)
class Days:
    """A span of days, both ends included; an end that is None is open."""

    since: date | None = None
    until: date | None = None


def find_days(question: str, today: date) -> tuple[Days, list[Span]]:
    """Return when the sources were published, and the words that say so.

    Args:
        question: The folded question, in which the names of its authors are replaced; see
            `mark_authors`.
        today: The day that `last year` is counted from.

    Raises:
        ValueError: the question contradicts itself (`since 2022 and before 2020`).
    """
    found = [*_ranges(question), *_relative(question, today)]
    # Ranges are replaced by spaces, not taken out, so that all places in the question stay right.
    found += _singles(_RANGE.sub(lambda match: " " * len(match[0]), question))
    since = max((days.since for days, _ in found if days.since), default=None)
    until = min((days.until for days, _ in found if days.until), default=None)
    if since and until and since > until:
        raise ValueError(f"the question asks for sources both since {since} and until {until}")
    return Days(since, until), [span for _, span in found]


def _ranges(question: str) -> Iterator[tuple[Days, Span]]:
    for match in _RANGE.finditer(question):
        ends = [_days(match["a"] or match["b"] or match["c"]), _days(match["end"])]
        days = [day for end in ends if end for day in end]
        if all(ends) and not _negated(question, match):
            yield Days(min(days), max(days)), match.span()


def _singles(question: str) -> Iterator[tuple[Days, Span]]:
    for match in _SINGLE.finditer(question):
        dates = re.findall(_DATE, match["dates"], re.IGNORECASE)
        days = [day for each in dates for day in _days(each) or ()]
        if days and not _negated(question, match) and not _is_change(question, match):
            word = (match["word"] or "").casefold()
            found = _bounded(word, min(days), max(days), onward=bool(match["onward"]))
            yield found, match.span()


def _is_change(question: str, match: re.Match[str]) -> bool:
    return (match["word"] or "").casefold() == "from" and bool(
        _CHANGE.search(question[: match.start()])
    )


def _bounded(word: str, first: date, last: date, *, onward: bool = False) -> Days:
    if word == "since" or onward:
        return Days(since=first)
    if word == "after":
        return Days(since=last + timedelta(days=1))
    if word == "before":
        return Days(until=first - timedelta(days=1))
    if word in ("until", "till", "up to", "through"):
        return Days(until=last)
    return Days(first, last)


def _relative(question: str, today: date) -> Iterator[tuple[Days, Span]]:
    for match in _LAST.finditer(question):
        word = (match["word"] or "").casefold()
        if word == "about" or _negated(question, match):
            continue
        if match["day"]:
            day = today - timedelta(days=match["day"].casefold() == "yesterday")
            if word or day < today or _WRITTEN_TODAY.search(question[: match.start()]):
                yield _bounded(word, day, day), match.span()
        elif match["span"]:
            count = (match["count"] or "1").casefold()
            days = (_COUNTS.get(count) or int(count)) * _SPAN_DAYS[match["span"].casefold()]
            yield Days(today - timedelta(days), today), match.span()
        else:
            first, last = _calendar(match["unit"].casefold(), today)
            if match["this"].casefold() == "last":
                first, last = _calendar(match["unit"].casefold(), first - timedelta(days=1))
            yield _bounded(word, first, last), match.span()


def _calendar(unit: str, day: date) -> tuple[date, date]:
    """Return the first and last day of the year, month or week (from Monday) of a day."""
    if unit == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if unit == "month":
        return _month(day.year, day.month)
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def _month(year: int, month: int) -> tuple[date, date]:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), following - timedelta(days=1)


def _days(text: str) -> tuple[date, date] | None:
    """Return the first and last day of a written date, or None for a date like 31 February."""
    year = int(re.findall(_YEAR, text)[-1])
    numbers = [
        int(n) for n in re.findall(r"(?<!\d)\d{1,2}(?!\d)", re.sub(r"st|nd|rd|th", "", text))
    ]
    named = re.search(_MONTH, text, re.IGNORECASE)
    if named:
        month = next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(named[0][:3].casefold()))
        numbers = [month, *numbers]
    try:
        if not numbers:
            return _calendar("year", date(year, 1, 1))
        if len(numbers) == 1:
            return _month(year, numbers[0])
        day = date(year, numbers[0], numbers[1])
    except ValueError:
        return None
    return day, day


def _negated(question: str, match: re.Match[str]) -> bool:
    return question[: match.start()].casefold().endswith((" not ", "except "))
