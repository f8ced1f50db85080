"""Reads a git repository safely: the text files of its newest commit, exactly as they are.

Needs git 2.32 or later. Nothing in a repository is run, checked out or trusted.
"""

from moodswarm.crawl.repositories.errors import NotModified, RepositoryError
from moodswarm.crawl.repositories.reading import (
    Repository,
    RepositoryFile,
    head_commit,
    open_repository,
)

__all__ = [
    "NotModified",
    "Repository",
    "RepositoryError",
    "RepositoryFile",
    "head_commit",
    "open_repository",
]
