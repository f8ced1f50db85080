"""One run at a time in a project folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from moodswarm.hooks.summary import Catalog
from moodswarm.stores.folder_lock import FolderLock

LOCK_TIMEOUT_SECONDS = 3600.0


class RunLock:
    """Lets one run at a time work in a project folder, and releases what it opened.

    Intermediate data is shared by all runs of a folder; a second run waits and says for whom.
    """

    def __init__(self) -> None:
        self._lock: FolderLock | None = None

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
        self._lock = FolderLock(
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
