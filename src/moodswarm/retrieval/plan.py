"""What understanding a question gives to the search; implementations are in this package.

`Understanding` is asked once per question, before the search. It reads the question (and which
authors there are); it never writes anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moodswarm.records import Author
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import Trace


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search for a question.

    Attributes:
        filters: The caller's, narrowed by what the question itself says.
        queries: What to search for, the question first, then its expansions; none twice.
    """

    filters: Filters
    queries: tuple[str, ...]


class Understanding(Protocol):
    """Turns a question into a plan; callable from several threads at once."""

    def plan(self, question: Question, authors: Sequence[Author], trace: Trace) -> Plan:
        """Return the plan; adds the stages `self_query` and `expansion` to the trace.

        What fails or takes too long is reported as `degraded`, and the plan does without it.
        """
        ...
