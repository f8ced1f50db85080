"""Keeps plugins quiet, and `kedro` fast where kedro-mlflow is installed.

Kedro imports the commands of every plugin for every command, and the hooks of every plugin for
every session; those of kedro-mlflow import MLflow, 3.6 of the 5.6 CPU-seconds that
`kedro registry list` then takes. `defer_mlflow` puts stand-ins where Kedro looks for them. Kedro
calls it first of all (entry point `kedro.init`), and so do the settings. The plugin is imported
when its command is asked for, or when `hooks.MlflowTracking` needs it to record a run.
"""

import logging
import os
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import click

COMMANDS = "kedro_mlflow.framework.cli.cli"
HOOKS = "kedro_mlflow.framework.hooks.mlflow_hook"


class _DeferredCommands(click.Group):
    """The plugin's command group, imported when a command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return ["mlflow"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "mlflow":
            return None
        # `kedro mlflow ui` calls `mlflow`; a shell that has not activated the environment lacks it.
        scripts = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
        found: click.Command | None = import_deferred(COMMANDS).commands.get_command(ctx, cmd_name)
        return found


class _StandIn(ModuleType):
    """Has what Kedro's entry points name: a command group, and a hook that does nothing."""

    commands = _DeferredCommands(name="Mlflow")
    mlflow_hook = object()


def quiet_kedro() -> None:
    """Drop two messages that Kedro would print at every run, and that lead nowhere here.

    `--pipeline` is what users know and what every page says; it stays until Kedro removes it. And
    `--async`, which Kedro recommends, cannot work with nodes that save page by page.
    """
    warnings.filterwarnings("ignore", message="Option '--pipeline' is deprecated")
    runner = logging.getLogger("kedro.runner.sequential_runner")
    if _does_not_recommend_async not in runner.filters:
        runner.addFilter(_does_not_recommend_async)


def _does_not_recommend_async(record: logging.LogRecord) -> bool:
    return "Use the --async flag" not in str(record.msg)


def refuse_telemetry() -> None:
    """Tell Kedro's plugins, MLflow and the Hugging Face libraries to send nothing.

    Kedro calls it first of all too (entry point `kedro.init`); a variable that is set stays.
    """
    for name in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "true")
    # Here too, as Kedro warns of an option before it reads the settings.
    quiet_kedro()


def defer_mlflow() -> None:
    """Let Kedro find stand-ins until the plugin is needed."""
    if find_spec("kedro_mlflow"):
        for name in (COMMANDS, HOOKS):
            sys.modules.setdefault(name, _StandIn(name))


def import_deferred(name: str) -> Any:
    """Import one of the deferred modules for good."""
    if isinstance(sys.modules.get(name), _StandIn):
        del sys.modules[name]
    return import_module(name)


def command_is_running() -> bool:
    """Tell whether Kedro has asked for a command of the plugin in this process.

    Such a command reads its settings from the Kedro context, where the plugin's hook puts them.
    """
    return COMMANDS in sys.modules and not isinstance(sys.modules[COMMANDS], _StandIn)
