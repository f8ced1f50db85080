"""Measures retrieval on your own corpus: `kedro run --pipeline=retrieval_evaluation`.

Measures and questions come from `moodswarm.evaluation.retrieval`; the nodes here connect them and
report the results.
"""

from moodswarm.pipelines.retrieval_evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
