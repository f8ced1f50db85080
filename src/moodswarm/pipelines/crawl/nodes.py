"""Nodes of the crawl pipeline."""

import logging
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from moodswarm.crawl.events import Event, LinkFound, Visited
from moodswarm.crawl.parent import CrawlChild, require_crawler, start_crawl
from moodswarm.crawl.spec import CrawlSpec, KnownLink, Source
from moodswarm.datasets.ledger import CrawlLedger
from moodswarm.pipelines.crawl.parameters import CrawlParams, select_sources
from moodswarm.pipelines.crawl.planning import Round, known_links, own_links, plan_rounds
from moodswarm.pipelines.crawl.recording import Recorder
from moodswarm.pipelines.crawl.visits import Page, pages_of
from moodswarm.records.document import utc_milliseconds
from moodswarm.records.ledger import LedgerEntry, ledger_id

logger = logging.getLogger(__name__)

#: Limits of one transaction, and so of what has to be requested again after a run was killed.
PAGE_EVENTS = 256
PAGE_CHARACTERS = 2_000_000

_Tables = tuple[pa.Table, pa.Table, pa.Table]


def crawl_sources(crawl_ledger: CrawlLedger, crawl: CrawlParams) -> Iterator[_Tables]:
    """Crawl the sources in a child process, and yield what it sends.

    Yields:
        Pages of (documents, ledger entries, visits), saved in this order, so that the ledger never
        says that a link is done before its document is stored.

    Raises:
        CrawlerMissing: the `crawl` extra is not installed.
        CrawlStopped: the crawl ended early; everything that arrived before that is saved.
    """
    sources, refused = select_sources(crawl)
    for refusal in refused:
        logger.warning("not crawled: %s: %s", refusal.link, refusal.detail)
    yield Page().tables()
    if not sources:
        if not refused:
            logger.warning(
                "there is no author to crawl. Add some to conf/base/parameters_crawl.yml"
            )
        return
    require_crawler()
    with tempfile.TemporaryDirectory(prefix="moodswarm-crawl-") as folder:
        yield from _crawl(crawl_ledger, crawl, sources, Path(folder))


def _crawl(
    ledger: CrawlLedger, params: CrawlParams, sources: list[Source], folder: Path
) -> Iterator[_Tables]:
    rounds = plan_rounds(
        sources,
        _entries(ledger, sources),
        utc_milliseconds(datetime.now(UTC)),
        round_hours=params.round_hours,
        max_attempts=params.max_attempts,
    )
    links = folder / "links.jsonl"
    begun = Page()
    known = _write_links(links, begun, ledger, params, sources, rounds)
    yield begun.tables()
    spec = CrawlSpec(
        sources=tuple(sources),
        links=str(links),
        statistics=str(folder / "statistics.json"),
        **{name: getattr(params, name) for name in _SECTIONS},
    )
    recorder = Recorder(ledger.documents, ledger.entries, rounds)
    with start_crawl(spec, folder) as child:
        watched = _watched(child, ledger, known)
        for page in pages_of(watched, most=PAGE_EVENTS, characters=PAGE_CHARACTERS):
            yield recorder.record(page).tables()
    child.complain()


_SECTIONS = ("limits", "manners", "egress", "browser", "extraction", "repositories")


def _entries(ledger: CrawlLedger, sources: list[Source]) -> Iterator[LedgerEntry]:
    for page in ledger.entries.scan([source.id for source in sources]):
        yield from page


def _write_links(
    path: Path,
    page: Page,
    ledger: CrawlLedger,
    params: CrawlParams,
    sources: list[Source],
    rounds: dict[str, Round],
) -> int:
    """Write the links that the child process has to know, and return how many it will request."""
    from moodswarm.extraction import EXTRACTION_VERSION

    ids = [ledger_id(source.link) for source in sources]
    stored = {entry.id: entry for entry in ledger.entries.get(ids)}
    asked = 0
    with path.open("w", encoding="utf-8") as file:

        def write(link: KnownLink) -> None:
            nonlocal asked
            asked += link.ask
            file.write(link.model_dump_json() + "\n")

        for link, entry in own_links(
            sources,
            stored,
            rounds,
            revision=EXTRACTION_VERSION,
            repositories=params.repositories.revision,
            max_attempts=params.max_attempts,
        ):
            write(link)
            page.ledger.append(entry)
        for link in known_links(
            ids,
            _entries(ledger, sources),
            rounds,
            revision=EXTRACTION_VERSION,
            repositories=params.repositories.revision,
            max_attempts=params.max_attempts,
        ):
            write(link)
    return asked


def _watched(child: CrawlChild, ledger: CrawlLedger, known: int) -> Iterator[Event | None]:
    """Pass events on, and report the progress of the crawl."""
    visited = 0
    for event in child:
        known += isinstance(event, LinkFound)
        visited += isinstance(event, Visited) and event.role != "file"
        if event is not None:
            ledger.on_visit(visited, max(known, visited))
        yield event
