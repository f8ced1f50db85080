"""`moodswarm retrieval`: how good retrieval is."""

from moodswarm.commands.retrieval.command import retrieval_group

__all__ = ["retrieval_group"]
