"""Runs in MLflow, where kedro-mlflow is installed."""

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from moodswarm.hooks.summary import RETRIEVAL_REPORT, Catalog, RunSummary, measured_before
from moodswarm.plugins import HOOKS, import_deferred

logger = logging.getLogger(__name__)


class MlflowTracking:
    """Records runs in MLflow through kedro-mlflow; does nothing where that is not installed.

    The plugin's own hook would import MLflow for every command and open every catalog entry, even
    those a run does not use; here it comes to life when a pipeline runs, and sees only that.
    """

    def __init__(self, summary: RunSummary) -> None:
        self._summary = summary
        self._context: KedroContext | None = None
        self._hook: Any = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the configuration."""
        self._context = context

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Start an MLflow run."""
        if find_spec("kedro_mlflow") is None or self._switched_off(run_params):
            return
        self._hook = import_deferred(HOOKS).MlflowHook()
        self._hook.after_context_created(self._context)
        self._hook.before_pipeline_run(run_params, pipeline, catalog)

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: Catalog, inputs: Mapping[str, Any], is_async: bool
    ) -> None:
        """Log the node's parameters."""
        if self._hook:
            plain = {
                name: value.model_dump(mode="json") if hasattr(value, "model_dump") else value
                for name, value in inputs.items()
            }
            self._hook.before_node_run(node, catalog, plain, is_async)

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Log what the run did, and end it."""
        if not self._hook:
            return
        self._try_to_log_reports(pipeline, catalog)
        self._hook.after_pipeline_run(run_params, pipeline, catalog)
        self._end_runs()

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: Catalog,
    ) -> None:
        """Mark the run as failed, and end it."""
        if self._hook:
            if measured_before(error, pipeline):
                self._try_to_log_reports(pipeline, catalog)
            self._hook.on_pipeline_error(error, run_params, pipeline, catalog)
            self._end_runs()

    def _switched_off(self, run_params: Mapping[str, Any]) -> bool:
        """Ask kedro-mlflow's own setting, before MLflow is imported."""
        if self._context is None:
            return True
        try:
            config = self._context.config_loader["mlflow"].get("tracking") or {}
        except MissingConfigException:
            return True
        unwanted = (config.get("disable_tracking") or {}).get("pipelines") or []
        names = run_params.get("pipeline_names") or ["__default__"]
        return all(name in unwanted for name in names)

    def _try_to_log_reports(self, pipeline: Pipeline, catalog: Catalog) -> None:
        import mlflow

        if mlflow.active_run():
            try:
                self._log_reports(pipeline.all_outputs(), catalog)
            except (mlflow.MlflowException, OSError) as error:
                # The work is done; a tracking server that is down must not fail its run.
                logger.warning("MLflow did not take the results of this run: %s", error)

    def _log_reports(self, outputs: set[str], catalog: Catalog) -> None:
        import mlflow

        if "crawl_report" in outputs:
            from moodswarm.pipelines.crawl.summary import crawl_metrics

            report = catalog.load("crawl_report")
            mlflow.log_metrics(crawl_metrics(report))
            mlflow.log_dict(report, "crawl_report.json")
        if "feature_report" in outputs:
            report = catalog.load("feature_report")
            mlflow.log_metrics(feature_metrics(report, self._summary.seconds))
            mlflow.log_dict(report, "feature_report.json")
            self._log_file(catalog, "chunk_histogram")
        if RETRIEVAL_REPORT in outputs:
            from moodswarm.pipelines.retrieval_evaluation.summary import retrieval_metrics

            report = catalog.load(RETRIEVAL_REPORT)
            mlflow.log_metrics(retrieval_metrics(report))
            mlflow.log_dict(report, "retrieval_report.json")
            self._log_file(catalog, "retrieval_chart")

    @staticmethod
    def _log_file(catalog: Catalog, name: str) -> None:
        import mlflow

        dataset: Any = catalog.get(name)
        path = getattr(dataset, "_filepath", None)
        if path and Path(path).exists():
            mlflow.log_artifact(str(path))

    def _end_runs(self) -> None:
        import mlflow

        while mlflow.active_run():
            mlflow.end_run()
        self._hook = None


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
