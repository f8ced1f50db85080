"""Turns documents into searchable points: `kedro run --pipeline=feature`.

Nodes apply steps from `text` and `models` to pages of records and have no logic of their own.
"""

from moodswarm.pipelines.feature.pipeline import create_pipeline

__all__ = ["create_pipeline"]
