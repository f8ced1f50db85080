"""Kedro settings, see https://docs.kedro.org/en/stable/configure/settings/."""

from kedro.config import OmegaConfigLoader
from omegaconf.resolvers import oc

from moodswarm.hooks import MlflowTracking, ModelAccess, Progress, RunLock, RunSummary
from moodswarm.hooks.messages import show_messages
from moodswarm.plugins import defer_mlflow, refuse_telemetry

refuse_telemetry()
defer_mlflow()
show_messages()

_summary = RunSummary()
HOOKS = (MlflowTracking(_summary), _summary, ModelAccess(), Progress(), RunLock())

# `MlflowTracking` drives this plugin's hook itself, and only for runs that are tracked.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {
        "mlflow": ["mlflow*", "mlflow*/**", "**/mlflow*"],
        "profiles": ["profiles*", "profiles*/**"],
    },
    "merge_strategy": {"parameters": "soft", "profiles": "soft"},
    "custom_resolvers": {"oc.env": oc.env},
}
