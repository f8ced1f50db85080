"""The default engine: steps run one after the other in the process of the run."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from moodswarm.engines.engine import StepFactory


class InProcessEngine:
    """Applies a step lazily; the step is built when the first batch arrives."""

    def map_batches(
        self, make_step: StepFactory, batches: Iterable[pa.Table]
    ) -> Iterator[pa.Table]:
        """Yield the step's result for every batch, see `Engine.map_batches`."""
        step = None
        for batch in batches:
            step = step or make_step()
            yield step(batch)
