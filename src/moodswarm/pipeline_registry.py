"""Registers the pipelines that can be named in `kedro run --pipeline=NAME`."""

from importlib import import_module
from pkgutil import iter_modules

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

MEASURING = {"retrieval_evaluation"}


def register_pipelines() -> dict[str, Pipeline]:
    """Find every package under `pipelines/`.

    Without a name, `kedro run` collects and indexes documents. Pipelines that only measure
    (`retrieval_evaluation`) run only if they are named: they take minutes, may call a paid model,
    and could fail a run whose work is already done.

    Raises:
        ValueError: a requested pipeline does not exist; the message names the existing ones.
    """
    try:
        pipelines = find_pipelines(raise_errors=True)
    except ImportError as error:
        if error.__cause__:
            raise  # The pipeline exists but cannot be imported.
        package = import_module(f"{__package__}.pipelines")
        known = sorted(module.name for module in iter_modules(package.__path__) if module.ispkg)
        asked = str(error).partition(f"{package.__name__}.")[2].partition("'")[0]
        raise ValueError(
            f"there is no pipeline {asked!r}. Name one of {', '.join(known)}"
        ) from error
    working = (found for name, found in pipelines.items() if name not in MEASURING)
    pipelines["__default__"] = sum(working, start=Pipeline([]))
    return pipelines
