"""Turns links into documents: `kedro run --pipeline=crawl`.

In a crawl, only this pipeline reads and writes stores; `moodswarm.crawl` requests the pages.
"""

from moodswarm.pipelines.crawl.pipeline import create_pipeline

__all__ = ["create_pipeline"]
