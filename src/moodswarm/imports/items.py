"""What reading an archive gives: documents, and everything that became none, with the reason."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from moodswarm.records import Document, InvalidDocument

Platform = Literal["linkedin", "medium", "x"]
PLATFORMS: tuple[str, ...] = get_args(Platform)

#: Stands in `Document.spider`, as what fetched it.
SPIDER = "archive"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Left out on purpose.

    Attributes:
        where: File within the archive, maybe with a line or an id.
        reason: A code that reports count, such as `draft`, `reply`, `not_own_words`.
    """

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """Could not be read; `reason` says it in words."""

    where: str
    reason: str


Item = Document | Skipped | Unusable


def build(where: str, **values: Any) -> Document | Unusable:
    """Build a document, or say which field of the entry is wrong."""
    try:
        return Document.create(**values, spider=SPIDER)
    except InvalidDocument as error:
        return Unusable(where, str(error))
