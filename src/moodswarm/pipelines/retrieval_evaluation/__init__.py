"""Measures retrieval on your own corpus: `kedro run --pipeline=retrieval_evaluation`.

Measures and questions are in `moodswarm.evaluation.retrieval`; nodes wire and report them.
"""

from moodswarm.pipelines.retrieval_evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
