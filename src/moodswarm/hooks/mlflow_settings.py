"""The settings in `mlflow.yml` with which runs can be recorded without importing MLflow.

The names and defaults are those of kedro-mlflow, whose own settings classes import MLflow.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SQLITE = "sqlite:///"


class _Settings(BaseModel):
    # A setting that is not listed needs the plugin, if only to report that it is misspelt.
    model_config = ConfigDict(extra="forbid", strict=True)


class _Server(_Settings):
    mlflow_tracking_uri: str = Field(pattern=rf"^{SQLITE}[^?#:%]+$")


class _DisableTracking(_Settings):
    pipelines: list[str] = []
    disable_autologging: bool = True


class _NewExperiment(_Settings):
    artifact_location: str | None = None
    tags: dict[str, Any] | None = None


class _Experiment(_Settings):
    name: str
    create_experiment_kwargs: _NewExperiment = _NewExperiment()
    restore_if_deleted: bool = True


class _Run(_Settings):
    name: str | None = None
    nested: bool = True


class _DictParameters(_Settings):
    flatten: bool = False
    recursive: bool = True
    sep: str = "."


class _Parameters(_Settings):
    dict_params: _DictParameters = _DictParameters()
    long_params_strategy: Literal["fail", "truncate", "tag"] = "fail"


class _Tracking(_Settings):
    disable_tracking: _DisableTracking = _DisableTracking()
    experiment: _Experiment
    run: _Run = _Run()
    params: _Parameters = _Parameters()


class _Ui(_Settings):
    port: str = ""
    host: str = ""


class MlflowSettings(_Settings):
    """The part of `mlflow.yml` that can be handled without MLflow."""

    server: _Server
    tracking: _Tracking
    ui: _Ui = _Ui()
