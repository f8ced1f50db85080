"""Runs the pipelines of an installed package; takes the same options as `kedro run`.

python -m moodswarm --pipeline=feature --conf-source=conf

Commands that look into the stores belong to the command `moodswarm` instead.
"""

import sys
from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project

from moodswarm.plugins import defer_mlflow, refuse_telemetry


def main(*arguments: Any, **options: Any) -> Any:
    """Run `kedro run` for this package, in a shell or from a notebook."""
    # Kedro's own command calls these two functions as entry points.
    refuse_telemetry()
    defer_mlflow()
    configure_project("moodswarm")
    # In a notebook, work goes on after the run; a shell needs the exit code of the run.
    options.setdefault("standalone_mode", not hasattr(sys, "ps1"))
    return find_run_command("moodswarm")(*arguments, **options)


if __name__ == "__main__":
    main()
