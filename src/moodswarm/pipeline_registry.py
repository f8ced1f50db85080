"""The pipelines that `kedro run --pipeline=NAME` knows."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

MEASURING = {"retrieval_evaluation"}


def register_pipelines() -> dict[str, Pipeline]:
    """Find every package under `pipelines/`.

    Without a name, `kedro run` collects and indexes. What only measures (`retrieval_evaluation`)
    runs when it is named: it costs minutes, may ask a paid model, and may fail a run whose work
    is done.
    """
    pipelines = find_pipelines(raise_errors=True)
    working = (found for name, found in pipelines.items() if name not in MEASURING)
    pipelines["__default__"] = sum(working, start=Pipeline([]))
    return pipelines
