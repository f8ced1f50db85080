"""Opens the engine that the parameters name."""

from moodswarm.engines.engine import Engine, EngineParams
from moodswarm.engines.in_process import InProcessEngine


def open_engine(params: EngineParams) -> Engine:
    """Return the engine that the parameters name."""
    if params.backend == "ray":
        from moodswarm.engines.ray_data import RayEngine

        return RayEngine(params)
    return InProcessEngine()
