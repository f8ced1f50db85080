"""Runs recorded by the hook of kedro-mlflow, which works with every server and setting."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from moodswarm.hooks.summary import Catalog
from moodswarm.plugins import HOOKS, import_deferred


class PluginRecorder:
    """Starts the plugin's hook when a pipeline runs.

    Kedro would start the hook with every session, where it imports MLflow for every command and
    opens every catalog entry, even those that a run does not use.
    """

    def __init__(self, context: KedroContext) -> None:
        import mlflow

        self._mlflow = mlflow
        self._hook = import_deferred(HOOKS).MlflowHook()
        self._hook.after_context_created(context)

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions that are raised when something cannot be recorded."""
        return (self._mlflow.MlflowException, OSError)

    def start(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
        """Start a run in MLflow, with its tags."""
        self._hook.before_pipeline_run(run_params, pipeline, catalog)

    def log_inputs(
        self, node: Node, catalog: Catalog, inputs: dict[str, Any], is_async: bool
    ) -> None:
        """Log the parameters among the inputs of a node."""
        self._hook.before_node_run(node, catalog, inputs, is_async)

    def log_report(
        self, name: str, report: Mapping[str, Any], metrics: Mapping[str, float]
    ) -> None:
        """Log a report: its numbers as metrics, and the whole report as a file."""
        if self._mlflow.active_run():
            self._mlflow.log_metrics(dict(metrics))
            self._mlflow.log_dict(dict(report), f"{name}.json")

    def log_file(self, path: Path) -> None:
        """Log a copy of a file."""
        if self._mlflow.active_run():
            self._mlflow.log_artifact(str(path))

    def finish(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
        """End the run."""
        self._hook.after_pipeline_run(run_params, pipeline, catalog)
        self._end_all()

    def fail(
        self, error: Exception, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """End the run as one that failed."""
        self._hook.on_pipeline_error(error, run_params, pipeline, catalog)
        self._end_all()

    def _end_all(self) -> None:
        # A second run in this process must not continue a run that was left open.
        while self._mlflow.active_run():
            self._mlflow.end_run()
