"""Links to documents: `kedro run --pipeline=crawl`."""

from moodswarm.pipelines.crawl.pipeline import create_pipeline

__all__ = ["create_pipeline"]
