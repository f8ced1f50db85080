"""Keeps plugins quiet, and keeps `kedro` fast if kedro-mlflow is installed.

Kedro imports the commands of every plugin for every command, and the hooks of every plugin for
every session; the commands and hooks of kedro-mlflow import MLflow, which takes 3.6 of the 5.6
CPU-seconds of `kedro registry list`. `defer_mlflow` puts stand-ins where Kedro looks for these
modules. Kedro calls that function before anything else (entry point `kedro.init`), and so do the
settings. The plugin is imported when its command is used, or when `hooks.MlflowTracking` needs it
to record a run.
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
    """Contains what Kedro's entry points name: a command group, and a hook that does nothing."""

    commands = _DeferredCommands(name="Mlflow")
    mlflow_hook = object()


def quiet_kedro() -> None:
    """Drop two messages that Kedro would print at every run, and that would mislead users here.

    One calls `--pipeline` deprecated, but users know this option and all pages of the documentation
    name it; it stays until Kedro removes it. The other recommends `--async`, which cannot work with
    nodes that save page by page.
    """
    warnings.filterwarnings("ignore", message="Option '--pipeline' is deprecated")
    runner = logging.getLogger("kedro.runner.sequential_runner")
    if _does_not_recommend_async not in runner.filters:
        runner.addFilter(_does_not_recommend_async)


def _does_not_recommend_async(record: logging.LogRecord) -> bool:
    return "Use the --async flag" not in str(record.msg)


def refuse_telemetry() -> None:
    """Tell Kedro's plugins, MLflow and the Hugging Face libraries to send nothing.

    Kedro calls this function, too, before anything else (entry point `kedro.init`). A variable that
    is already set keeps its value.
    """
    for name in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "true")
    # This is done here too, because Kedro warns of an option before it reads the settings.
    quiet_kedro()


def defer_mlflow() -> None:
    """Let Kedro find stand-ins until the plugin is needed."""
    if find_spec("kedro_mlflow"):
        for name in (COMMANDS, HOOKS):
            sys.modules.setdefault(name, _StandIn(name))


def import_deferred(name: str) -> Any:
    """Import one of the deferred modules in place of its stand-in."""
    if isinstance(sys.modules.get(name), _StandIn):
        del sys.modules[name]
    return import_module(name)


def command_is_running() -> bool:
    """Tell whether Kedro has asked for a command of the plugin in this process.

    Such a command reads its settings from the Kedro context, where the plugin's hook puts them.
    """
    return COMMANDS in sys.modules and not isinstance(sys.modules[COMMANDS], _StandIn)
