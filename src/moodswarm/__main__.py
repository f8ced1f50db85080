"""Runs the pipelines of an installed package: `python -m moodswarm` takes what `kedro run` takes.

python -m moodswarm --pipeline=feature --conf-source=conf

The commands that look into the stores are those of `moodswarm`.
"""

import sys
from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project

from moodswarm.plugins import defer_mlflow, refuse_telemetry


def main(*arguments: Any, **options: Any) -> Any:
    """Run `kedro run` for this package, in a shell or from a notebook."""
    # Kedro's own command calls these as entry points.
    refuse_telemetry()
    defer_mlflow()
    configure_project("moodswarm")
    # A notebook goes on after the run; a shell wants its exit code.
    options.setdefault("standalone_mode", not hasattr(sys, "ps1"))
    return find_run_command("moodswarm")(*arguments, **options)


if __name__ == "__main__":
    main()
