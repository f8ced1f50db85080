"""Makes a failed `kedro run` show its message, which names the remedy, without a traceback."""

import logging
import os
import sys
from pathlib import Path
from types import TracebackType

import click
from kedro.framework.context.context import KedroContextError
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError

logger = logging.getLogger(__name__)

VARIABLE = "MOODSWARM_DEBUG"
#: Modules whose exceptions say what is wrong and what to do; other exceptions are program faults.
_OURS = ("moodswarm.", "kedro.", "omegaconf.", "pydantic", "yaml.")
_KNOWN = (ValueError, OSError, DatasetError, KedroContextError, ParameterValidationError)


def show_messages() -> None:
    """Show a known error in `kedro` without its traceback, unless `MOODSWARM_DEBUG=1` is set."""
    if Path(sys.argv[0]).stem not in ("kedro", "__main__") or os.environ.get(VARIABLE):
        return
    shown = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if is_known(error):
            logger.debug("the command failed", exc_info=(kind, error, trace))
            click.echo(message_of(error), err=True)
        else:
            shown(kind, error, trace)

    sys.excepthook = show


def is_known(error: BaseException) -> bool:
    """Tell whether the message of an error is meant for the user."""
    return isinstance(error, _KNOWN) or type(error).__module__.startswith(_OURS)


def message_of(error: BaseException) -> str:
    """Return the message, with a hint on how to see where the error came from."""
    return f"Error: {error}\n(Set {VARIABLE}=1 to see the traceback.)"
