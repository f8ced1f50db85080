"""How to search for a question: the plan that is made from it before anything is searched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from moodswarm.records import Author
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import Trace


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search for a question.

    Attributes:
        filters: The caller's filters, narrowed by what the question itself says.
        queries: The texts to search for, none twice: the question first, without the words that
            became filters, then its expansions.
        asked_for: Says in words which filters the question names, such as `by Mira Solano`.
    """

    filters: Filters
    queries: tuple[str, ...]
    asked_for: str = field(default="", compare=False)


class Understanding(Protocol):
    """Turns a question into a plan; `planning.planner.Planner` is one.

    Several threads may call it at the same time. It reads the question and the names of the
    authors, and never writes anything.
    """

    def plan(self, question: Question, authors: Sequence[Author], trace: Trace) -> Plan:
        """Return the plan, and add the stages `self_query` and `expansion` to the trace.

        A step that fails or takes too long is reported as `degraded`, and the plan does without it.
        """
        ...


def as_asked(question: Question, plan: Plan, trace: Trace) -> tuple[Plan, Trace]:
    """Return the plan without the filters that were read out of the question.

    The words that had become filters are searched for again. No model is asked again: the
    expansions of the first plan are kept.

    Args:
        question: The question, whose own filters are kept.
        plan: The plan whose search found nothing.
        trace: The trace of that search.

    Returns:
        The plan for the second search, and the trace that it begins with.
    """
    second = Trace([report for report in trace.stages if report.stage == "authors"])
    second.note(
        "self_query",
        "degraded",
        f"nothing in the corpus is {plan.asked_for}; searched without that",
    )
    second.note("expansion", "skipped", "the wordings of the first search are used")
    queries = dict.fromkeys((question.text, *plan.queries[1:]))
    return Plan(question.filters, tuple(queries)), second
