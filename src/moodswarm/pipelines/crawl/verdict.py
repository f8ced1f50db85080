"""The verdict on a crawl: whether its run has to fail, although everything it found is stored."""

from collections.abc import Mapping
from typing import Any


class CrawlFailed(Exception):
    """A crawl read no link; the message says why, and what to do."""


def require_success(report: Mapping[str, Any], *, alone: bool) -> None:
    """Check that a crawl read at least one link.

    Args:
        report: The report of the crawl.
        alone: Whether the run only crawls. A run that also makes features may have no authors,
            since documents can come from files as well.

    Raises:
        CrawlFailed: there was nothing to crawl, or every link failed.
    """
    rows = report["sources"]
    if not rows:
        if alone:
            raise CrawlFailed(_nothing_to_crawl(report))
        return
    failed = [row for row in rows if _has_failed(row)]
    if failed and not any(_has_read(row) for row in rows if row not in failed):
        raise CrawlFailed(
            "Every link of this crawl failed; the reasons are listed above. "
            "Mend the links or the connection, and run it again."
        )


def _nothing_to_crawl(report: Mapping[str, Any]) -> str:
    if report["refused"]:
        return (
            "None of the configured links may be crawled; the reasons are listed above. "
            "Change them in conf/local/parameters_crawl.yml."
        )
    return "There is no author to crawl. Add some to conf/local/parameters_crawl.yml."


def _has_failed(row: Mapping[str, Any]) -> bool:
    """Tell whether everything that was requested for this source failed.

    A continued round requests its listing and the links that failed before, but not the links that
    were read, so its failures do not mean that all links failed.
    """
    if row["continued"] and row["listings"]:
        return False
    bad = row["failed"] + row["missing"]
    return bool(bad) and bad + row["gone"] == row["found"]


def _has_read(row: Mapping[str, Any]) -> bool:
    return bool(row["found"] or row["listings"])
