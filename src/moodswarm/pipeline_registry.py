"""Registers the pipelines that can be named in `kedro run --pipeline=NAME`."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

MEASURING = {"retrieval_evaluation"}


def register_pipelines() -> dict[str, Pipeline]:
    """Find every package under `pipelines/`.

    Without a name, `kedro run` collects and indexes documents. Pipelines that only measure
    (`retrieval_evaluation`) run only if they are named: they take minutes, may call a paid model,
    and could fail a run whose work is already done.
    """
    pipelines = find_pipelines(raise_errors=True)
    working = (found for name, found in pipelines.items() if name not in MEASURING)
    pipelines["__default__"] = sum(working, start=Pipeline([]))
    return pipelines
