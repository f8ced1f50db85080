"""Turns documents into searchable points: `kedro run --pipeline=feature`.

Nodes map steps of `text` and `models` over pages of records and hold no logic of their own.
"""

from moodswarm.pipelines.feature.pipeline import create_pipeline

__all__ = ["create_pipeline"]
