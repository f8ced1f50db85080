"""Waits for a stage no longer than its parameters allow."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from time import perf_counter
from typing import TypeVar

from moodswarm.retrieval.errors import StageTooSlow

_Result = TypeVar("_Result")


def wait(task: "Future[_Result]", stage: str, seconds: float, started: float) -> _Result:
    """Return the result of a task, or give the task up.

    Args:
        task: A task in a thread pool.
        stage: The name of its stage in the parameters.
        seconds: How long it may take.
        started: When the stage's time began, as a value of `perf_counter`.

    Raises:
        StageTooSlow: there was no result in time.
    """
    try:
        return task.result(max(0.0, started + seconds - perf_counter()))
    except FutureTimeout:
        # The task may have ended just now, or have failed with a timeout of its own.
        if task.done():
            return task.result()
        task.cancel()
        raise StageTooSlow(stage, seconds) from None
