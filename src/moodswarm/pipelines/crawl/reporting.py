"""The report of a crawl: for each source, what was fetched, what was not, and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from moodswarm.pipelines.crawl.parameters import CrawlParams, select_sources

#: The outcomes of links, in the order of the report. Their counts add up to `found`.
OUTCOMES = ("new", "changed", "unchanged", "skipped", "failed", "missing", "gone")
_LISTED_OUTCOMES = ("failed", "missing")


def report_crawl(crawl_visits: Iterable[pa.Table], crawl: CrawlParams) -> dict[str, Any]:
    """Count the visits of a run.

    Returns:
        `sources`: per configured link its author, platform, whether the round was `continued`,
        `found`, a count per outcome and `reasons` per outcome; `failures`: every link that failed
        or was missing, with reason and detail; `left_out`: files of repositories that were skipped,
        with repository, path and reason; `refused`: configured links that were not crawled;
        `totals`: found and outcomes over all sources.
    """
    sources, refused = select_sources(crawl)
    counts = {source.id: _Count() for source in sources}
    failures: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for batch in crawl_visits:
        for visit in batch.to_pylist():
            counts[visit["source_id"]].add(visit)
            left_out += [
                {"link": visit["link"], "path": path, "reason": reason}
                for reason, paths in visit["left_out"] or ()
                for path in paths
            ]
            if visit["outcome"] in _LISTED_OUTCOMES:
                failures.append(
                    {name: visit[name] for name in ("link", "reason", "detail", "found_on")}
                )
    rows = [
        {
            "author": source.author_full_name,
            "link": source.link,
            "platform": source.platform,
            **counts[source.id].as_dict(),
        }
        for source in sources
    ]
    totals = {name: sum(row[name] for row in rows) for name in ("found", *OUTCOMES)}
    return {
        "totals": totals,
        "sources": rows,
        "failures": failures,
        "left_out": left_out,
        "refused": [asdict(refusal) for refusal in refused],
    }


class _Count:
    """The counts of one source."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: dict[str, Counter[str]] = {}
        self.listings = 0
        self.redacted_secrets = 0
        self.continued = False

    def add(self, visit: dict[str, Any]) -> None:
        """Count one visit; a listing or a repository counts only if it failed."""
        self.continued |= visit["continued"]
        outcome, reason = visit["outcome"], visit["reason"]
        for left_out, number in visit["skipped_files"] or ():
            self._leave_out(left_out, number)
        if outcome == "listed":
            self.listings += 1
            self.outcomes["unchanged"] += visit["unchanged_files"]
            return
        self.outcomes[outcome] += 1
        if reason:
            self._because(outcome, reason, 1)

    def _leave_out(self, reason: str, number: int) -> None:
        if reason == "redacted_secrets":
            self.redacted_secrets += number
        else:
            self.outcomes["skipped"] += number
            self._because("skipped", reason, number)

    def as_dict(self) -> dict[str, Any]:
        return {
            "continued": self.continued,
            "listings": self.listings,
            "redacted_secrets": self.redacted_secrets,
            "found": sum(self.outcomes.values()),
            **{name: self.outcomes[name] for name in OUTCOMES},
            "reasons": {name: dict(reasons) for name, reasons in sorted(self.reasons.items())},
        }

    def _because(self, outcome: str, reason: str, number: int) -> None:
        self.reasons.setdefault(outcome, Counter())[reason] += number
