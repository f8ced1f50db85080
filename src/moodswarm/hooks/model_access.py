"""The configured language model, for pipelines that can use one."""

from collections.abc import Sequence
from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from moodswarm.hooks.summary import Catalog
from moodswarm.records.calls import CallRecord

CHAT, DOCUMENTS = "chat", "documents"


class ModelAccess:
    """Passes the contents of `profiles.yml`, and the place to store calls, to the entry `chat`.

    The dataset cannot find these itself, because it sees only its own entry of the catalog.
    """

    def __init__(self) -> None:
        self._context: KedroContext | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the configuration."""
        self._context = context

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: Catalog) -> None:
        """Configure the model; nothing is opened before a node loads it."""
        if self._context is None or CHAT not in pipeline.inputs():
            return
        try:
            profiles = self._context.config_loader["profiles"]
        except MissingConfigException:
            return

        def record(calls: Sequence[CallRecord]) -> None:
            # The store is opened by the first call, so a run without calls does not need it.
            catalog.load(DOCUMENTS).calls.record(calls)

        dataset: Any = catalog.get(CHAT)
        dataset.configure(profiles, record)
