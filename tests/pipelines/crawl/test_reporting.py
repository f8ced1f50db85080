"""The counts in the report add up, and the report names every failure."""

from typing import Any

import pyarrow as pa
import pytest

from moodswarm.pipelines.crawl.parameters import CrawlParams
from moodswarm.pipelines.crawl.reporting import OUTCOMES, report_crawl
from moodswarm.pipelines.crawl.summary import crawl_metrics, print_crawl_report
from moodswarm.pipelines.crawl.visits import VISIT_SCHEMA

PARAMS = CrawlParams.model_validate(
    {
        "authors": [
            {"full_name": "Mira Solano", "content_is_mine": True, "links": ["https://a.example"]},
            {"full_name": "Somebody Else", "links": ["https://b.example"]},
        ]
    }
)


def visit(outcome: str, reason: str | None = None, **values: Any) -> dict[str, Any]:
    from moodswarm.pipelines.crawl.parameters import select_sources

    ((source,), _) = select_sources(PARAMS)
    defaults = {
        "source_id": source.id, "link": f"https://a.example/{outcome}", "role": "page",
        "outcome": outcome, "reason": reason, "detail": None, "found_on": None, "title": None,
        "skipped_files": [], "left_out": [], "unchanged_files": 0, "continued": False,
    }  # fmt: skip
    return {**defaults, **values}


def report(*visits: dict[str, Any]) -> dict[str, Any]:
    pages = [pa.Table.from_pylist([row], schema=VISIT_SCHEMA) for row in visits]
    return report_crawl([VISIT_SCHEMA.empty_table(), *pages], PARAMS)


def test_every_outcome_is_counted_and_adds_up_to_found() -> None:
    (source,) = report(*map(visit, OUTCOMES))["sources"]
    assert {name: source[name] for name in OUTCOMES} == dict.fromkeys(OUTCOMES, 1)
    assert source["found"] == len(OUTCOMES)


def test_listings_are_not_found_documents() -> None:
    (source,) = report(visit("listed"), visit("new"))["sources"]
    assert (source["listings"], source["found"]) == (1, 1)


def test_a_listing_that_failed_is_a_failure() -> None:
    made = report(visit("failed", "http_500", role="listing"))
    assert made["totals"]["failed"] == 1
    assert made["failures"][0]["reason"] == "http_500"


def test_files_left_out_of_a_repository_are_skipped_with_their_reason() -> None:
    left_out = [("binary", 3), ("redacted_secrets", 2)]
    (source,) = report(visit("listed", role="repository", skipped_files=left_out))["sources"]
    assert (source["skipped"], source["redacted_secrets"]) == (3, 2)
    assert source["reasons"] == {"skipped": {"binary": 3}}


def test_files_left_out_of_a_repository_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    left_out = [("not_text", ["old/[b].c"]), ("ignored", ["dist/a.js"])]
    made = report(visit("listed", role="repository", left_out=left_out))
    assert [(file["path"], file["reason"]) for file in made["left_out"]] == [
        ("old/[b].c", "not_text"), ("dist/a.js", "ignored")
    ]  # fmt: skip
    print_crawl_report(made)
    shown = capsys.readouterr().out
    assert ": old/[b].c: not_text" in shown
    assert "dist/a.js" not in shown


def test_files_of_a_repository_at_its_known_commit_are_unchanged() -> None:
    (source,) = report(visit("listed", role="repository", unchanged_files=4))["sources"]
    assert (source["found"], source["unchanged"]) == (4, 4)


def test_an_author_without_consent_is_named_with_the_remedy() -> None:
    (refused,) = report()["refused"]
    assert refused["link"] == "https://b.example"
    assert "content_is_mine: true" in refused["detail"]


def test_metrics_count_outcomes_and_reasons() -> None:
    metrics = crawl_metrics(report(visit("failed", "timeout"), visit("new")))
    assert metrics["crawl.new"] == metrics["crawl.failed.timeout"] == 1


def test_the_summary_shows_counts_failures_and_refusals(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_crawl_report(report(visit("new"), visit("failed", "http_503", detail="[busy]")))
    shown = capsys.readouterr().out
    assert "failed: https://a.example/failed: http_503: [busy]" in shown
    assert "not crawled: https://b.example" in shown
    assert "tries the failed links again" in shown
