"""The interface of an engine and of the steps that it runs, and the parameters of an engine."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

#: A pure function that turns one batch into another.
Step = Callable[[pa.Table], pa.Table]
#: Builds a step on the machine that runs it, so that a model is loaded there, once. The factory has
#: to be picklable for that.
StepFactory = Callable[[], Step]


class Engine(Protocol):
    """Applies a step to batches."""

    def map_batches(
        self, make_step: StepFactory, batches: Iterable[pa.Table]
    ) -> Iterator[pa.Table]:
        """Yield the step's result for every batch, one result per batch and in order.

        Batches are read only as results are consumed, so memory does not grow with their number.
        """
        ...


class EngineParams(BaseModel):
    """Which engine runs the steps of a pipeline; every setting except `backend` is for Ray.

    Attributes:
        backend: `in_process`, or `ray` for Ray Data.
        address: `local` starts Ray on this machine, `auto` joins the cluster that this machine
            belongs to, and `ray://host:port` connects to a remote one.
        workers: Actors that run a step at the same time; leave at least one CPU for Ray itself.
        cpus_per_worker: CPUs that each actor reserves.
        gpus_per_worker: GPUs that each actor reserves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    backend: Literal["in_process", "ray"] = "in_process"
    address: str = "local"
    workers: int = Field(default=1, ge=1)
    cpus_per_worker: float = Field(default=1.0, gt=0)
    gpus_per_worker: float = Field(default=0.0, ge=0)
