"""The shape of an engine, of the steps that it runs, and the parameters that choose one."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

#: A pure function from one batch to one batch.
Step = Callable[[pa.Table], pa.Table]
#: Builds a step on the machine that runs it; must be picklable, so a model is loaded there, once.
StepFactory = Callable[[], Step]


class Engine(Protocol):
    """Maps a step over batches."""

    def map_batches(
        self, make_step: StepFactory, batches: Iterable[pa.Table]
    ) -> Iterator[pa.Table]:
        """Yield the step's result for every batch, one for one and in order.

        Batches are taken as results are asked for: memory does not grow with their number.
        """
        ...


class EngineParams(BaseModel):
    """Which engine runs the steps of a pipeline; all but `backend` is for Ray.

    Attributes:
        backend: `in_process`, or `ray` for Ray Data.
        address: `local` starts Ray on this machine, `auto` joins the cluster this machine is in,
            `ray://host:port` a remote one.
        workers: Actors that run a step at once; leave at least one CPU to Ray itself.
        cpus_per_worker: CPUs that each actor reserves.
        gpus_per_worker: GPUs that each actor reserves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    backend: Literal["in_process", "ray"] = "in_process"
    address: str = "local"
    workers: int = Field(default=1, ge=1)
    cpus_per_worker: float = Field(default=1.0, gt=0)
    gpus_per_worker: float = Field(default=0.0, ge=0)
