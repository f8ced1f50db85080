"""Runs recorded as kedro-mlflow records them, but without importing MLflow.

This serves the settings that most people have: an SQLite database on this machine. Everything else
is left to the plugin, and so is every run about which MLflow would record more than is known here.
"""

import atexit
import getpass
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pydantic import ValidationError

from moodswarm.hooks.mlflow_settings import SQLITE, MlflowSettings
from moodswarm.hooks.summary import Catalog
from moodswarm.stores.errors import StoreError
from moodswarm.stores.mlflow_runs import PARAMETER_LIMIT, Experiment, MlflowRuns

logger = logging.getLogger(__name__)


class DirectRecorder:
    """Writes a run into MLflow's database, each piece of data as soon as it is known."""

    errors: tuple[type[Exception], ...] = (StoreError, OSError, ValueError)

    def __init__(self, settings: MlflowSettings, runs: MlflowRuns, experiment: Experiment) -> None:
        self._settings = settings
        self._runs = runs
        self._experiment = experiment
        self._run = ""

    @classmethod
    def open(
        cls, config: Mapping[str, Any], pipeline: Pipeline, catalog: Catalog
    ) -> "DirectRecorder | None":
        """Return a recorder, or None if the plugin is needed."""
        try:
            settings = MlflowSettings.model_validate(config)
        except ValidationError:
            return None
        if _needs_mlflow() or any(_is_of_mlflow(catalog, name) for name in pipeline.datasets()):
            return None
        runs = MlflowRuns(Path(settings.server.mlflow_tracking_uri.removeprefix(SQLITE)))
        experiment = runs.experiment(settings.tracking.experiment.name)
        return cls(settings, runs, experiment) if experiment else None

    def start(
        self,
        run_params: dict[str, Any],
        pipeline: Pipeline,  # noqa: ARG002
        catalog: Catalog,  # noqa: ARG002
    ) -> None:
        """Start a run in MLflow, with its tags."""
        pipelines = run_params.get("pipeline_names") or ["__default__"]
        name = self._settings.tracking.run.name or "+".join(pipelines)
        user = getpass.getuser()
        tags = {
            "mlflow.user": user,
            "mlflow.source.name": sys.argv[0] or "<console>",
            "mlflow.source.type": "LOCAL",
            "mlflow.runName": name,
            **{key: value for key, value in run_params.items() if value},
            "kedro_command": _command(run_params, pipelines),
        }
        self._run = self._runs.start_run(self._experiment, name, user, tags)
        # A node that itself uses MLflow continues this run, because MLflow reads these variables.
        os.environ["MLFLOW_TRACKING_URI"] = self._settings.server.mlflow_tracking_uri
        os.environ["MLFLOW_RUN_ID"] = self._run
        # A run that is interrupted from the keyboard counts as finished, as in MLflow itself.
        atexit.register(self._end, "FINISHED")

    def log_inputs(
        self,
        node: Node,  # noqa: ARG002
        catalog: Catalog,  # noqa: ARG002
        inputs: dict[str, Any],
        is_async: bool,  # noqa: ARG002
    ) -> None:
        """Log the parameters among the inputs of a node."""
        parameters = {
            name.removeprefix("params:"): value
            for name, value in inputs.items()
            if name.startswith("params:") or name == "parameters"
        }
        style = self._settings.tracking.params.dict_params
        if style.flatten:
            parameters = _flatten(parameters, style.recursive, style.sep)
        named = {_allowed(name): value for name, value in parameters.items()}
        long = {name for name, value in named.items() if len(str(value)) > PARAMETER_LIMIT}
        short = {name: value for name, value in named.items() if name not in long}
        self._runs.log_parameters(self._run, short)
        self._log_long({name: str(named[name]) for name in sorted(long)})

    def log_report(
        self, name: str, report: Mapping[str, Any], metrics: Mapping[str, float]
    ) -> None:
        """Log a report: its numbers as metrics, and the whole report as a file."""
        self._runs.log_metrics(self._run, metrics)
        path = self._runs.artifact_folder(self._run) / f"{name}.json"
        path.write_text(json.dumps(report, indent=2, default=str))

    def log_file(self, path: Path) -> None:
        """Log a copy of a file."""
        shutil.copy2(path, self._runs.artifact_folder(self._run))

    def finish(
        self,
        run_params: dict[str, Any],  # noqa: ARG002
        pipeline: Pipeline,  # noqa: ARG002
        catalog: Catalog,  # noqa: ARG002
    ) -> None:
        """End the run."""
        self._end("FINISHED")

    def fail(
        self,
        error: Exception,  # noqa: ARG002
        run_params: dict[str, Any],  # noqa: ARG002
        pipeline: Pipeline,  # noqa: ARG002
        catalog: Catalog,  # noqa: ARG002
    ) -> None:
        """End the run as one that failed."""
        self._end("FAILED")

    def _log_long(self, parameters: dict[str, str]) -> None:
        """Handle values that are longer than MLflow's limit, in the way that the settings name."""
        if not parameters:
            return
        names = ", ".join(parameters)
        strategy = self._settings.tracking.params.long_params_strategy
        if strategy == "fail":
            raise ValueError(
                f"The values of the parameters {names} are longer than the {PARAMETER_LIMIT} "
                "characters that MLflow takes. Set `long_params_strategy` in mlflow.yml to `tag` "
                "or `truncate`."
            )
        logger.warning("the values of the parameters %s are long: %s", names, strategy)
        if strategy == "tag":
            self._runs.set_tags(self._run, parameters)
        else:
            cut = {name: value[:PARAMETER_LIMIT] for name, value in parameters.items()}
            self._runs.log_parameters(self._run, cut)

    def _end(self, status: str) -> None:
        atexit.unregister(self._end)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
            os.environ.pop(name, None)
        if "mlflow" in sys.modules:
            import mlflow

            while mlflow.active_run():
                mlflow.end_run(status)
        self._runs.end_run(self._run, status)


def _needs_mlflow() -> bool:
    """Tell whether MLflow is already in use, or may know more about this run than is known here."""
    ours = {"MLFLOW_DISABLE_TELEMETRY"}
    variables = {name for name in os.environ if name.startswith(("MLFLOW_", "DATABRICKS_"))}
    return bool(
        {"mlflow", "IPython"} & sys.modules.keys()
        or variables - ours
        or Path("~/.mlflow/credentials").expanduser().exists()
        or entry_points(group="mlflow.run_context_provider")
        or _commit_is_recorded()
    )


def _commit_is_recorded() -> bool:
    """Tell whether MLflow records a commit: that of the repository that contains the command.

    It records none for a command in a folder that git ignores, such as `.venv`.
    """
    command = Path(sys.argv[0]).absolute()
    if not any((folder / ".git").exists() for folder in command.parents):
        return False
    asked = ["git", "-C", str(command.parent), "check-ignore", "--quiet", str(command.parent)]
    try:
        return subprocess.run(asked, check=False, capture_output=True).returncode != 0  # noqa: S603
    except OSError:
        return True


def _is_of_mlflow(catalog: Catalog, name: str) -> bool:
    kind: str | None = catalog.get_type(name)  # type: ignore[attr-defined]
    return "mlflow" in (kind or "").lower()


def _command(run_params: Mapping[str, Any], pipelines: list[str]) -> str:
    """Return the command that starts a run, with the options that the plugin records."""
    versions = run_params.get("load_versions") or {}
    options = {
        "from-inputs": run_params.get("from_inputs"),
        "from-nodes": run_params.get("from_nodes"),
        "to-nodes": run_params.get("to_nodes"),
        "node": run_params.get("node_names"),
        "pipeline": pipelines,
        "tag": run_params.get("tags"),
        "load-version": [f"{name}:{version}" for name, version in versions.items()],
    }
    given = [f"--{option}={','.join(values)}" for option, values in options.items() if values]
    return " ".join(["kedro run", *given])


def _allowed(name: str) -> str:
    allowed = re.sub(r"[^/\w.\- :]", "_", name)
    if allowed != name:
        logger.warning("MLflow does not take the name %s; it is recorded as %s", name, allowed)
    return allowed


def _flatten(values: Mapping[str, Any], recursive: bool, separator: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(value, dict):
            flat[name] = value
            continue
        inner = _flatten(value, recursive, separator) if recursive else value
        flat |= {f"{name}{separator}{key}": each for key, each in inner.items()}
    return flat
