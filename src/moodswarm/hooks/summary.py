"""The summaries that a run prints at its end."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)

Catalog = CatalogProtocol[Any, Any]
RETRIEVAL_REPORT = "retrieval_report"


class RunSummary:
    """Times the nodes and prints what a run did."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = 0.0

    @hook_impl
    def before_pipeline_run(self, run_params: Mapping[str, Any], pipeline: Pipeline) -> None:
        """Forget an earlier run in this process, and warn of parameters that no node reads."""
        self.seconds = {}
        read = {group for name in pipeline.inputs() if (group := _group(name))}
        given = {name.partition(".")[0] for name in run_params.get("runtime_params") or {}}
        if unread := sorted(given - read):
            logger.warning(
                "nothing in this run reads the parameters %s; it reads %s",
                ", ".join(unread),
                ", ".join(sorted(read)),
            )

    @hook_impl
    def before_node_run(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Read the clock at each save, because a generator node works while its pages are saved."""
        self.seconds[node.name] = time.perf_counter() - self._started

    @hook_impl(trylast=True)
    def after_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Print the summaries of what ran, and fail the run if its crawl read no link.

        The failure comes last, after features are made and other hooks have seen the run end.
        """
        outputs = pipeline.all_outputs()
        if "crawl_report" in outputs:
            from moodswarm.pipelines.crawl.summary import print_crawl_report

            print_crawl_report(catalog.load("crawl_report"))
        if "feature_report" in outputs:
            from moodswarm.pipelines.feature.summary import print_feature_report

            print_feature_report(
                catalog.load("feature_report"), self.seconds, run_params.get("env")
            )
        if RETRIEVAL_REPORT in outputs:
            _print_retrieval(run_params, catalog)
        if "crawl_report" in outputs:
            from moodswarm.pipelines.crawl.verdict import require_success

            require_success(catalog.load("crawl_report"), alone="feature_report" not in outputs)

    @hook_impl
    def on_pipeline_error(
        self, error: Exception, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Print what an evaluation measured before its gate failed the run."""
        if measured_before(error, pipeline):
            _print_retrieval(run_params, catalog)


def measured_before(error: Exception, pipeline: Pipeline) -> bool:
    """Tell whether a run failed at the gate of an evaluation, after it had saved all results."""
    if RETRIEVAL_REPORT not in pipeline.all_outputs():
        return False
    from moodswarm.evaluation.retrieval.baseline import RetrievalRegressed

    return isinstance(error, RetrievalRegressed)


def _print_retrieval(run_params: Mapping[str, Any], catalog: Catalog) -> None:
    from moodswarm.pipelines.retrieval_evaluation.summary import print_retrieval_report

    print_retrieval_report(catalog.load(RETRIEVAL_REPORT), run_params.get("env"))


def _group(dataset: str) -> str | None:
    """Return the first part of a parameter's name, as Kedro takes a misspelt name for a new one."""
    name = dataset.removeprefix("params:")
    return None if name == dataset else name.partition(".")[0]
