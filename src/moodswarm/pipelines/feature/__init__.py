"""Turns documents into searchable points: `kedro run --pipeline=feature`."""

from moodswarm.pipelines.feature.pipeline import create_pipeline

__all__ = ["create_pipeline"]
