"""Turns links into documents: `kedro run --pipeline=crawl`.

Only this side of a crawl reads and writes stores; asking for pages is the work of `crawl`.
"""

from moodswarm.pipelines.crawl.pipeline import create_pipeline

__all__ = ["create_pipeline"]
