"""Reports on what each stage did; `--explain` shows them, and the evaluation sums them up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

from moodswarm.stores.vectors.protocol import Hit

#: How many hits of each stage are shown.
SHOWN_HITS = 10

#: `ran`: the stage did its work; `off`: the parameters switch it off; `skipped`: it lacks something
#: (a model, a reranker) that `detail` names; `degraded`: it failed or was too slow, and the next
#: best result was taken.
StageState = Literal["ran", "off", "skipped", "degraded"]


@dataclass(slots=True)
class StageReport:
    """The report on one stage of one retrieval.

    Attributes:
        stage: The name of the stage, such as `dense`.
        state: One of `StageState`.
        detail: Says in a few words what the stage found or changed, or why it did nothing.
        milliseconds: The wall time of the stage.
        scores: The first hits' ids and scores after this stage, best first.
    """

    stage: str
    state: StageState = "ran"
    detail: str = ""
    milliseconds: float = 0.0
    scores: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True)
class Trace:
    """The reports on one retrieval in the order of its stages.

    Attributes:
        stages: The reports. The dense and the lexical search run side by side, so that their times
            overlap.
        milliseconds: The wall time of the whole retrieval; the sum over its stages may be more.
    """

    stages: list[StageReport] = field(default_factory=list)
    milliseconds: float = 0.0
    _began: float = field(default_factory=perf_counter, repr=False, compare=False)

    def end(self) -> None:
        """Record the time of the whole retrieval, counted from the moment the trace was made."""
        self.milliseconds = (perf_counter() - self._began) * 1000

    @contextmanager
    def stage(self, name: str) -> Iterator[StageReport]:
        """Time a stage; the code inside the `with` block fills in the report."""
        report = StageReport(name)
        self.stages.append(report)
        started = perf_counter()
        try:
            yield report
        finally:
            report.milliseconds = (perf_counter() - started) * 1000

    def note(self, name: str, state: StageState, detail: str = "") -> None:
        """Add the report on a stage that did not run."""
        self.stages.append(StageReport(name, state, detail))

    @property
    def warnings(self) -> list[str]:
        """The stages that are `degraded`, and why, as warnings for the user."""
        return [f"{s.stage}: {s.detail}" for s in self.stages if s.state == "degraded"]


def first_scores(hits: Sequence[Hit]) -> tuple[tuple[str, float], ...]:
    """Return the ids and scores of the hits that a report shows."""
    return tuple((hit.id, hit.score) for hit in hits[:SHOWN_HITS])
