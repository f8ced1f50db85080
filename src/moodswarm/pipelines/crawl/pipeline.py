"""The crawl pipeline: crawl the sources, store what is new, report."""

from kedro.pipeline import Node, Pipeline

from moodswarm.pipelines.crawl.nodes import crawl_sources
from moodswarm.pipelines.crawl.reporting import report_crawl


def create_pipeline() -> Pipeline:
    """Return the pipeline; its parameters are in `conf/base/parameters_crawl.yml`."""
    return Pipeline(
        [
            Node(
                crawl_sources,
                inputs=["crawl_ledger", "params:crawl"],
                outputs=["documents", "updated_crawl_ledger", "crawl_visits"],
                name="crawl_sources",
            ),
            Node(
                report_crawl,
                inputs=["crawl_visits", "params:crawl"],
                outputs="crawl_report",
                name="report_crawl",
                tags="report",
            ),
        ],
        tags="crawl",
    )
