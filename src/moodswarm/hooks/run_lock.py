"""One run at a time in a project folder."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from omegaconf.resolvers import oc

from moodswarm.hooks.summary import Catalog
from moodswarm.stores.folder_lock import FolderLock

LOCK_TIMEOUT_SECONDS = 3600.0


class RunLock:
    """Lets one run at a time work in a project folder, and closes what that run opened.

    All runs in a folder share its intermediate data; a second run waits and says for which run.
    """

    def __init__(self) -> None:
        self._lock: FolderLock | None = None
        self._context: KedroContext | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember the configuration."""
        self._context = context

    @hook_impl(tryfirst=True)
    def before_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> None:
        """Wait until no other run uses the folder.

        Raises:
            ValueError: the run would spread its nodes over processes, or there are parameters that
                no pipeline knows.
        """
        if "ParallelRunner" in str(run_params.get("runner")):
            raise ValueError(
                "ParallelRunner gives each node a process of its own, and an embedded store "
                "serves one process; use the default runner, and for speed the Ray engine: "
                "kedro run --params engine.backend=ray"
            )
        if self._context:
            _require_known_parameters(self._context, pipeline, catalog.load("parameters"))
        folder = Path(run_params["project_path"]) / "data" / "02_intermediate"
        self._lock = FolderLock(
            folder,
            timeout=LOCK_TIMEOUT_SECONDS,
            remedy="run in another copy of the project folder",
        )
        self._lock.acquire()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: Catalog) -> None:
        """Close the stores and release the lock on the folder."""
        self._release(pipeline, catalog)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception, pipeline: Pipeline, catalog: Catalog) -> None:
        """Close the stores and release the lock on the folder.

        Raises:
            ValueError: the run was started with `--async`.
        """
        self._release(pipeline, catalog)
        if str(error).startswith("Async data loading and saving does not work"):
            raise ValueError(
                "`--async` cannot be used here, because nodes save page by page while they work. "
                "Leave it out; for speed, use the Ray engine: "
                "kedro run --params engine.backend=ray"
            ) from error

    def _release(self, pipeline: Pipeline, catalog: Catalog) -> None:
        for name in pipeline.datasets():
            catalog.release(name)
        if self._lock:
            self._lock.release()
            self._lock = None


def _require_known_parameters(
    context: KedroContext, pipeline: Pipeline, parameters: Mapping[str, Any]
) -> None:
    """Refuse parameter groups that conf/base lacks, except the user's own, which begin with `_`."""
    # Kedro registers only the pipelines of this run, so what other pipelines read is not known.
    loader: Any = context.config_loader
    base = OmegaConfigLoader(
        loader.conf_source,
        base_env=loader.base_env,
        default_run_env=loader.base_env,
        config_patterns=loader.config_patterns,
        custom_resolvers={"oc.env": oc.env},
    )
    read = {name.removeprefix("params:").partition(".")[0] for name in pipeline.inputs()}
    known = base["parameters"].keys() | read
    for name in sorted(name for name in parameters if name not in known and name[:1] != "_"):
        near = difflib.get_close_matches(name, known, 1)
        hint = (
            f"did you mean `{near[0]}`?"
            if near
            else f"known: {', '.join(sorted(base['parameters']))}."
        )
        raise ValueError(
            f"no pipeline reads the parameters `{name}`; {hint} Correct the name on the command "
            "line or in conf/, or begin it with `_` to keep values of your own"
        )
