"""The crawl ledger as a catalog entry."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from moodswarm.datasets.ledger import CrawlLedgerDataset
from moodswarm.records.ledger import LEDGER_SCHEMA, LedgerEntry, ledger_id, ledger_to_table


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    store = {"backend": "sqlite", "path": str(tmp_path / "documents.db")}
    dataset = CrawlLedgerDataset(store=store)
    yield dataset
    dataset.release()


def entry(number: int, state: str = "done", reason: str | None = None) -> LedgerEntry:
    url = f"https://example.org/{number}"
    return LedgerEntry(
        id=ledger_id(url),
        source_id="s",
        url=url,
        role="page",
        state=state,
        round=datetime(2026, 1, 1, tzinfo=UTC),
        reason=reason,
    )


def test_what_is_saved_can_be_read(dataset: CrawlLedgerDataset) -> None:
    dataset.save(ledger_to_table([entry(1), entry(2, "queued")]))
    ledger = dataset.load()
    assert ledger.entries.get([entry(2).id]) == [entry(2, "queued")]


def test_a_link_that_is_found_again_forgets_nothing(dataset: CrawlLedgerDataset) -> None:
    dataset.save(ledger_to_table([entry(1)]))
    dataset.save(ledger_to_table([entry(1, "queued")]))
    assert list(dataset.load().entries.scan()) == [[entry(1)]]


def test_saving_nothing_opens_nothing(dataset: CrawlLedgerDataset, tmp_path: Path) -> None:
    dataset.save(LEDGER_SCHEMA.empty_table())
    assert list(tmp_path.iterdir()) == []


def test_a_watched_ledger_tells_how_far_its_reader_is(dataset: CrawlLedgerDataset) -> None:
    ledger = dataset.load()
    ledger.on_visit(1, 2)  # does nothing
    seen: list[tuple[int, int]] = []
    watched = ledger.watched(lambda visited, known: seen.append((visited, known)))
    watched.on_visit(3, 4)
    assert seen == [(3, 4)]
    assert watched.entries is ledger.entries
    assert watched.documents is ledger.documents


def test_a_preview_shows_failures_first(dataset: CrawlLedgerDataset) -> None:
    dataset.save(ledger_to_table([entry(number) for number in range(20)]))
    dataset.save(ledger_to_table([entry(7, "failed", "http_500")]))
    preview = dataset.preview(nrows=3)
    assert preview["columns"] == ["url", "state", "reason", "visited_at"]
    assert preview["data"][0] == ["https://example.org/7", "failed", "http_500", None]
    assert [row[1] for row in preview["data"]] == ["failed", "done", "done"]
