"""Plans what a crawl asks for, by comparing the configured sources with the ledger.

A **round** asks for every link of a source once. A run continues the last round of a source as long
as something is left undone: a link that is still queued, or one that failed and may be tried again.
Otherwise, or if that round is older than `round_hours`, the run begins a new one. A new round asks
for every known link again, with a conditional request if the server sent a validator. Listings are
always read in full: a limit may have left out links that they name, such a link may belong to
another source, and the texts in a feed replace pages that cannot be read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from moodswarm.crawl.routing import Route
from moodswarm.crawl.spec import KnownLink, Source
from moodswarm.records.ledger import LedgerEntry, ledger_id

#: A page that was missing this many times is deleted, and requested again only if a page or a
#: listing names it.
MISSES_UNTIL_GONE = 2


@dataclass(frozen=True, slots=True)
class Round:
    """The round that a run works on, for one source.

    Attributes:
        began: The time at which the round began, which its ledger entries carry.
        continued: Whether an earlier run began it.
    """

    began: datetime
    continued: bool


@dataclass(slots=True)
class _Seen:
    newest: datetime | None = None
    oldest: datetime | None = None
    unfinished: bool = False


def plan_rounds(
    sources: Sequence[Source],
    ledger: Iterable[LedgerEntry],
    now: datetime,
    *,
    round_hours: float,
    max_attempts: int,
) -> dict[str, Round]:
    """Decide for each source whether its last round continues.

    Args:
        ledger: All entries of these sources, in any order; read once.
        now: The time at which a new round begins.
    """
    seen = {source.id: _Seen() for source in sources}
    for entry in ledger:
        if entry.role != "file" and not _is_gone(entry):
            _look(seen[entry.source_id], entry, max_attempts)
    earliest = now - timedelta(hours=round_hours)
    return {
        id_: Round(source.newest, True)
        if source.newest and source.newest > earliest and _left_undone(source)
        else Round(now, False)
        for id_, source in seen.items()
    }


def _look(seen: _Seen, entry: LedgerEntry, max_attempts: int) -> None:
    if seen.newest is None or entry.round > seen.newest:
        seen.newest, seen.unfinished = entry.round, False
    if entry.round == seen.newest:
        seen.unfinished |= _is_unfinished(entry, max_attempts)
    seen.oldest = min(seen.oldest or entry.round, entry.round)


def _left_undone(seen: _Seen) -> bool:
    return seen.unfinished or seen.oldest != seen.newest


def _is_unfinished(entry: LedgerEntry, max_attempts: int) -> bool:
    return entry.state == "queued" or (
        entry.state == "failed" and entry.attempts < max_attempts
    )  # fmt: skip


def _is_gone(entry: LedgerEntry) -> bool:
    return entry.state == "gone" and entry.misses >= MISSES_UNTIL_GONE


def known_links(
    source_ids: Iterable[str],
    ledger: Iterable[LedgerEntry],
    rounds: dict[str, Round],
    *,
    revision: str,
    repositories: str | None = None,
    max_attempts: int,
) -> Iterator[KnownLink]:
    """Yield the links from earlier visits that the crawler has to know.

    Args:
        source_ids: Ids of the sources' own links, which are left out here; see `own_links`.
        revision: Version of the extraction; a page read by another version is requested in full.
        repositories: The same for repositories, see `Repositories.revision`.
    """
    own, wanted = set(source_ids), {"page": revision, "repository": repositories}
    for entry in ledger:
        if entry.role != "file" and entry.id not in own and not _is_gone(entry):
            yield _known(entry, rounds[entry.source_id], wanted, max_attempts)


def own_links(
    sources: Iterable[Source],
    stored: dict[str, LedgerEntry],
    rounds: dict[str, Round],
    *,
    revision: str,
    repositories: str | None = None,
    max_attempts: int,
) -> Iterator[tuple[KnownLink, LedgerEntry]]:
    """Yield the configured links themselves, each with its new entry for the ledger.

    Args:
        stored: Ledger entries by id, for the links that were seen before.
    """
    wanted = {"page": revision, "repository": repositories}
    for source in sources:
        round_, role = rounds[source.id], Route(source.platform, source.discover).role
        entry = stored.get(ledger_id(source.link))
        if entry is None:
            entry = LedgerEntry(
                id=ledger_id(source.link),
                source_id=source.id,
                url=source.link,
                role=role,
                state="queued",
                round=round_.began,
            )
        elif entry.role != role:
            # The configuration has changed the link's role, so it counts as never read.
            entry = replace(entry, role=role, state="failed", attempts=0, revision="")
        elif entry.source_id != source.id:
            # The link was read for another source, which says nothing about this source.
            entry = replace(entry, source_id=source.id, revision="")
        known = _known(entry, round_, wanted, max_attempts)
        yield known.model_copy(update={"source_id": source.id, "url": source.link}), entry


def _known(
    entry: LedgerEntry, round_: Round, wanted: Mapping[str, str | None], max_attempts: int
) -> KnownLink:
    conditional = (
        entry.role in wanted
        and entry.state in ("done", "skipped")
        and entry.revision in (None, wanted[entry.role])
    )
    return KnownLink.model_validate(
        {
            "source_id": entry.source_id,
            "url": entry.url,
            "role": entry.role,
            "depth": entry.depth,
            # Not `<`: if the clock was set back, links must not wait for a time in the future.
            "ask": entry.round != round_.began or _is_unfinished(entry, max_attempts),
            "found_on": entry.found_on,
            "etag": entry.etag if conditional else None,
            "last_modified": entry.last_modified if conditional else None,
        }
    )
