"""Recording of runs in MLflow, if kedro-mlflow is installed."""

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from moodswarm.hooks.summary import RETRIEVAL_REPORT, Catalog, RunSummary, measured_before
from moodswarm.plugins import HOOKS, command_is_running, import_deferred

logger = logging.getLogger(__name__)


class Recorder(Protocol):
    """Writes one run into MLflow."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """The exceptions that are raised when something cannot be recorded."""

    def start(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
        """Start a run in MLflow, with its tags."""

    def log_inputs(
        self, node: Node, catalog: Catalog, inputs: dict[str, Any], is_async: bool
    ) -> None:
        """Log the parameters among the inputs of a node."""

    def log_report(
        self, name: str, report: Mapping[str, Any], metrics: Mapping[str, float]
    ) -> None:
        """Log a report: its numbers as metrics, and the whole report as a file."""

    def log_file(self, path: Path) -> None:
        """Log a copy of a file."""

    def finish(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
        """End the run."""

    def fail(
        self, error: Exception, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """End the run as one that failed."""


class MlflowTracking:
    """Records runs in MLflow; does nothing if kedro-mlflow is not installed.

    Most runs are written straight into MLflow's database, because importing MLflow takes longer
    than a run in which nothing changed; the rest are left to kedro-mlflow's own hook.
    """

    def __init__(self, summary: RunSummary) -> None:
        self._summary = summary
        self._context: KedroContext | None = None
        self._recorder: Recorder | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the configuration, and set up MLflow if a command of the plugin is running."""
        self._context = context
        if command_is_running():
            import_deferred(HOOKS).MlflowHook().after_context_created(context)

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Start an MLflow run."""
        self._recorder = self._open_recorder(run_params, pipeline, catalog)
        if self._recorder:
            self._recorder.start(run_params, pipeline, catalog)

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: Catalog, inputs: Mapping[str, Any], is_async: bool
    ) -> None:
        """Log the node's parameters."""
        if self._recorder:
            plain = {
                name: value.model_dump(mode="json") if hasattr(value, "model_dump") else value
                for name, value in inputs.items()
            }
            self._recorder.log_inputs(node, catalog, plain, is_async)

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Log what the run did, and end the MLflow run."""
        if self._recorder:
            self._try_to_log_reports(self._recorder, pipeline, catalog)
            self._recorder.finish(run_params, pipeline, catalog)
            self._recorder = None

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: Catalog,
    ) -> None:
        """End the MLflow run as one that failed."""
        if self._recorder:
            if measured_before(error, pipeline):
                self._try_to_log_reports(self._recorder, pipeline, catalog)
            self._recorder.fail(error, run_params, pipeline, catalog)
            self._recorder = None

    def _open_recorder(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> Recorder | None:
        if self._context is None or find_spec("kedro_mlflow") is None:
            return None
        try:
            config = self._context.config_loader["mlflow"]
        except MissingConfigException:
            return None
        if _switched_off(config, run_params):
            return None
        from moodswarm.hooks.direct_recorder import DirectRecorder

        direct = DirectRecorder.open(config, pipeline, catalog)
        if direct:
            return direct
        from moodswarm.hooks.plugin_recorder import PluginRecorder

        return PluginRecorder(self._context)

    def _try_to_log_reports(self, recorder: Recorder, pipeline: Pipeline, catalog: Catalog) -> None:
        try:
            self._log_reports(recorder, pipeline.all_outputs(), catalog)
        except recorder.errors as error:
            # The work is done; a tracking server that is down must not fail its run.
            logger.warning("MLflow did not take the results of this run: %s", error)

    def _log_reports(self, recorder: Recorder, outputs: set[str], catalog: Catalog) -> None:
        if "crawl_report" in outputs:
            from moodswarm.pipelines.crawl.summary import crawl_metrics

            report = catalog.load("crawl_report")
            recorder.log_report("crawl_report", report, crawl_metrics(report))
        if "feature_report" in outputs:
            report = catalog.load("feature_report")
            metrics = feature_metrics(report, self._summary.seconds)
            recorder.log_report("feature_report", report, metrics)
            _log_file(recorder, catalog, "chunk_histogram")
        if RETRIEVAL_REPORT in outputs:
            from moodswarm.pipelines.retrieval_evaluation.summary import retrieval_metrics

            report = catalog.load(RETRIEVAL_REPORT)
            recorder.log_report(RETRIEVAL_REPORT, report, retrieval_metrics(report))
            _log_file(recorder, catalog, "retrieval_chart")


def _switched_off(config: Mapping[str, Any], run_params: Mapping[str, Any]) -> bool:
    """Tell whether kedro-mlflow's own setting switches tracking off, without importing MLflow."""
    tracking = config.get("tracking") or {}
    unwanted = (tracking.get("disable_tracking") or {}).get("pipelines") or []
    names = run_params.get("pipeline_names") or ["__default__"]
    return all(name in unwanted for name in names)


def _log_file(recorder: Recorder, catalog: Catalog, name: str) -> None:
    dataset: Any = catalog.get(name)
    path = getattr(dataset, "_filepath", None)
    if path and Path(path).exists():
        recorder.log_file(Path(path))


def feature_metrics(report: Mapping[str, Any], seconds: Mapping[str, float]) -> dict[str, float]:
    """Flatten a feature report and the seconds per node into MLflow metrics."""
    metrics: dict[str, float] = {
        name: report[name]
        for name in ("chunks", "tokens", "coverage", "over_limit_chunks", "unknown_tokens")
    }
    for group in ("documents", "rejected", "dropped_characters", "collections"):
        metrics |= {f"{group}.{name}": value for name, value in report[group].items()}
    for name, statistics in report["chunk_statistics"].items():
        for quantity in ("tokens", "characters"):
            for key, value in (statistics[quantity] or {}).items():
                metrics[f"{name}.{quantity}.{key}"] = value
    metrics |= {f"seconds.{node}": value for node, value in seconds.items()}
    if report["tokens"] and seconds.get("embed_chunks"):
        metrics["tokens_per_second"] = report["tokens"] / seconds["embed_chunks"]
    return metrics
