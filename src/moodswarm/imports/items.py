"""The items that sources yield: a document, or the reason why an entry did not become one.

A source is a file of JSON lines or an export archive. Its reader does not use stores: it only turns
entries into items, and the importer does the rest.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from moodswarm.records import Author, Document, InvalidDocument

#: The value of `Document.spider` for documents that come from an archive.
_SPIDER = "archive"
_LINK = re.compile(r"https?://\S+")

#: A line number, or a place in words: a file within an archive, perhaps with a line or an id.
#: 0 or an empty text stands for the source as a whole.
Place = int | str


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that became a document."""

    where: Place
    document: Document


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry that is left out on purpose.

    Attributes:
        where: The entry's place.
        reason: A code such as `draft`, `reply` or `not_own_words`; reports count each code.
    """

    where: Place
    reason: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """An entry that cannot be read; `reason` says in words what is wrong with it."""

    where: Place
    reason: str


#: An `Author` is an item by itself if an export names an author who has no documents.
Item = Found | Skipped | Unusable | Author


def build(where: Place, **values: Any) -> Found | Skipped | Unusable:
    """Build a document from an entry of an archive, or say which of its fields is wrong.

    A post that is nothing but links is skipped: it has no words to learn from or to cite.
    """
    if values["kind"] == "post" and _is_only_links(values["content"]):
        return Skipped(where, "link_only")
    try:
        return Found(where, Document.create(**values, spider=_SPIDER))
    except InvalidDocument as error:
        return Unusable(where, str(error))


def _is_only_links(content: str) -> bool:
    """Tell whether a text has no letter, number or symbol outside of its links."""
    kinds = map(unicodedata.category, _LINK.sub("", content))
    return all(kind[0] in "CPZ" for kind in kinds)
