"""What happens around every run: one at a time, with progress, a summary, and MLflow if present."""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from moodswarm.plugins import HOOKS, import_deferred
from moodswarm.stores.lock import StoreLock

logger = logging.getLogger(__name__)

Catalog = CatalogProtocol[Any, Any]

LOCK_TIMEOUT_SECONDS = 3600.0


class RunLock:
    """Lets one run at a time work in a project folder, and releases what it opened.

    Intermediate data is shared by all runs of a folder; a second run waits and says for whom.
    """

    def __init__(self) -> None:
        self._lock: StoreLock | None = None

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: Mapping[str, Any]) -> None:
        """Wait for the folder.

        Raises:
            ValueError: the run would spread its nodes over processes.
        """
        if "ParallelRunner" in str(run_params.get("runner")):
            raise ValueError(
                "ParallelRunner gives each node a process of its own, and an embedded store "
                "serves one process; use the default runner, and for speed the Ray engine: "
                "kedro run --params engine.backend=ray"
            )
        folder = Path(run_params["project_path"]) / "data" / "02_intermediate"
        self._lock = StoreLock(
            folder,
            timeout=LOCK_TIMEOUT_SECONDS,
            remedy="run in another copy of the project folder",
        )
        self._lock.acquire()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: Catalog) -> None:
        """Close stores and free the folder."""
        self._release(pipeline, catalog)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, pipeline: Pipeline, catalog: Catalog) -> None:
        """Close stores and free the folder."""
        self._release(pipeline, catalog)

    def _release(self, pipeline: Pipeline, catalog: Catalog) -> None:
        for name in pipeline.datasets():
            catalog.release(name)
        if self._lock:
            self._lock.release()
            self._lock = None


class RunSummary:
    """Times the nodes and prints what a run did."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = 0.0

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Forget an earlier run of this process."""
        self.seconds = {}

    @hook_impl
    def before_node_run(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Read the clock: a generator node works while its pages are saved."""
        self.seconds[node.name] = time.perf_counter() - self._started

    @hook_impl
    def after_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Print the summary of a feature run."""
        if "feature_report" in pipeline.all_outputs():
            from moodswarm.pipelines.feature.summary import print_feature_report

            print_feature_report(
                catalog.load("feature_report"), self.seconds, run_params.get("env")
            )


class Progress:
    """Shows how far a node is through its pages: a bar in a terminal, log lines elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None

    @hook_impl
    def before_node_run(self, node: Node, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Watch the pages that the node reads first."""
        from moodswarm.datasets.batches import Batches

        self._stop()
        for name in node.inputs:
            pages = inputs[name]
            if isinstance(pages, Batches) and len(pages) > 1:
                return {name: pages.watched(self._track(node.name, name, pages.num_rows))}
        return None

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Take the bar away."""
        self._stop()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Take the bar away."""
        self._stop()

    def _track(self, node: str, rows_of: str, total: int) -> Callable[[int], None]:
        if not sys.stderr.isatty():
            return _LoggedProgress(node, rows_of, total).advance
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(rows_of),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        task = self._bar.add_task(node, total=total)
        self._bar.start()
        bar = self._bar
        return lambda rows: bar.advance(task, rows)

    def _stop(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None


class _LoggedProgress:
    """A log line at every tenth of the way."""

    def __init__(self, node: str, rows_of: str, total: int) -> None:
        self._label = (node, rows_of)
        self._total = total
        self._done = 0

    def advance(self, rows: int) -> None:
        before = self._done * 10 // max(1, self._total)
        self._done += rows
        if self._done * 10 // max(1, self._total) > before:
            logger.info("%s: %d of %d %s", self._label[0], self._done, self._total, self._label[1])


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
        import mlflow

        if "feature_report" in pipeline.all_outputs() and mlflow.active_run():
            report = catalog.load("feature_report")
            try:
                mlflow.log_metrics(feature_metrics(report, self._summary.seconds))
                mlflow.log_dict(report, "feature_report.json")
                self._log_histogram(catalog)
            except (mlflow.MlflowException, OSError) as error:
                # The features are made; a tracking server that is down must not fail their run.
                logger.warning("MLflow did not take the results of this run: %s", error)
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

    @staticmethod
    def _log_histogram(catalog: Catalog) -> None:
        import mlflow

        dataset: Any = catalog.get("chunk_histogram")
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
