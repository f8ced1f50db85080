"""`moodswarm retrieval`: measures how good retrieval is on public test collections.

Measures and intervals are in `moodswarm.evaluation`; this package reads files and prints.
"""

from moodswarm.commands.retrieval.command import retrieval_group

__all__ = ["retrieval_group"]
