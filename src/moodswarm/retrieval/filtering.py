"""Turns filters into conditions on payloads, and explains why nothing meets them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from moodswarm.records import KINDS
from moodswarm.records.collections import collection_name
from moodswarm.retrieval.errors import NothingEmbedded
from moodswarm.retrieval.question import Filters
from moodswarm.stores.vectors.protocol import Match, TimeRange, VectorStore


def searched_kinds(filters: Filters) -> list[str]:
    """Return the kinds that a search looks at, in a fixed order."""
    return [kind for kind in KINDS if kind in (filters.kinds or KINDS)]


def as_match(filters: Filters) -> Match | None:
    """Return the condition on a chunk's payload, without its kind, which its collection tells."""
    return {**_authors(filters), **_dates(filters)} or None


def explain_nothing(store: VectorStore, filters: Filters) -> str:
    """Say which filter leaves nothing, by counting the chunks that each filter alone leaves.

    Raises:
        NothingEmbedded: there are no chunks of any kind.
        StoreError: the store cannot count.
    """
    counts = {kind: store.count(collection_name("embedded", kind)) for kind in KINDS}
    if not any(counts.values()):
        raise NothingEmbedded
    kinds = searched_kinds(filters)
    chunks = sum(counts[kind] for kind in kinds)
    if not chunks:
        there = ", ".join(f"{n:,} of kind {kind}" for kind, n in counts.items() if n)
        return f"no chunk is of kind {' or '.join(kinds)}; there are {there}"

    def count(match: Match) -> int:
        return sum(store.count(collection_name("embedded", kind), match) for kind in kinds)

    conditions: dict[str, Match] = {
        "by the author": _authors(filters),
        _period(filters): _dates(filters),
    }
    said = [f"{count(match):,} {words}" for words, match in conditions.items() if match]
    every = as_match(filters)
    if meeting := count(every) if every else chunks:
        said.append(f"none of the {meeting:,} to be searched shares a word with the question")
    elif len(said) > 1:
        said.append("none meets both")
    kind = f" of kind {' or '.join(kinds)}" if filters.kinds else ""
    return f"of {chunks:,} chunks{kind}: " + ", ".join(said)


def _authors(filters: Filters) -> dict[str, Sequence[str]]:
    return {"author_id": list(filters.author_ids)} if filters.author_ids else {}


def _dates(filters: Filters) -> dict[str, TimeRange]:
    if not (filters.since or filters.until):
        return {}
    until = _day_after(filters.until)
    # A range needs at least one end, and an `until` on the very last day would leave it without.
    since = filters.since or (None if until else date.min)
    return {"published_at": TimeRange(_midnight(since) if since else None, until)}


def _period(filters: Filters) -> str:
    since = f" since {filters.since}" if filters.since else ""
    until = f" until {filters.until}" if filters.until else ""
    return f"published{since}{until}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day_after(day: date | None) -> datetime | None:
    """Return the midnight that ends a day; None if there is no day, or no day after it."""
    if day is None or day == date.max:
        return None
    return _midnight(day + timedelta(days=1))
