"""A run fails if its crawl read no link, and only then."""

from typing import Any

import pytest

from moodswarm.pipelines.crawl.reporting import OUTCOMES
from moodswarm.pipelines.crawl.verdict import CrawlFailed, require_success


def source(*, continued: bool = False, listings: int = 0, **counts: int) -> dict[str, Any]:
    numbers = {name: counts.get(name, 0) for name in OUTCOMES}
    found = sum(numbers.values())
    return {"continued": continued, "listings": listings, "found": found, **numbers}


def report(*sources: dict[str, Any], refused: int = 0) -> dict[str, Any]:
    return {"sources": list(sources), "refused": [{"link": "https://b.example"}] * refused}


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param([source(failed=1)], id="one page"),
        pytest.param([source(missing=1)], id="a page that was never there"),
        pytest.param([source(failed=2, missing=1, gone=1)], id="every kind"),
        pytest.param([source(listings=1, failed=3)], id="a feed whose pages all fail"),
        pytest.param([source(failed=1), source(failed=2)], id="all of two sources"),
        pytest.param([source(failed=1), source()], id="the other waits for its next round"),
        pytest.param([source(continued=True, failed=1)], id="a page that fails again"),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_a_crawl_in_which_every_link_failed_fails(
    sources: list[dict[str, Any]], alone: bool
) -> None:
    with pytest.raises(CrawlFailed, match=r"^Every link of this crawl failed; .* run it again\.$"):
        require_success(report(*sources), alone=alone)


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param([source(new=1, failed=3)], id="one page was read"),
        pytest.param([source(unchanged=1)], id="nothing is new"),
        pytest.param([source(skipped=1, failed=1)], id="one was left out on purpose"),
        pytest.param([source(gone=1)], id="a page that is gone for good"),
        pytest.param([source(listings=1)], id="an empty feed"),
        pytest.param([source()], id="all of it waits for its next round"),
        pytest.param([source(failed=1), source(new=1)], id="one of two sources"),
        pytest.param(
            [source(continued=True, listings=1, failed=2)], id="only the failed were asked for"
        ),
    ],
)
def test_a_crawl_that_read_something_does_not_fail(sources: list[dict[str, Any]]) -> None:
    require_success(report(*sources), alone=True)


@pytest.mark.parametrize(
    ("refused", "message"),
    [(0, r"^There is no author to crawl\. Add some"), (1, "^None of the configured links may be")],
)
def test_nothing_to_crawl_fails_a_run_that_only_crawls(refused: int, message: str) -> None:
    with pytest.raises(CrawlFailed, match=message):
        require_success(report(refused=refused), alone=True)
    require_success(report(refused=refused), alone=False)
