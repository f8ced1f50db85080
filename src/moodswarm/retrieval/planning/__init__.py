"""Reading a question before the search: the filters that it names, and other wordings of it."""

from moodswarm.retrieval.planning.planner import Planner, retrieve

__all__ = ["Planner", "retrieve"]
