"""How good retrieval is on the own corpus: `kedro run --pipeline=retrieval_evaluation`."""

from moodswarm.pipelines.retrieval_evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
