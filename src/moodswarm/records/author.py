"""An author, identified by full name."""

import unicodedata
from dataclasses import dataclass

from moodswarm.records.ids import author_id


def author_name(full_name: str) -> str:
    """Return a full name in NFC with single spaces; to compare two names, casefold them.

    Raises:
        ValueError: the name is empty or only white space.
    """
    name = " ".join(unicodedata.normalize("NFC", full_name).split())
    if not name:
        raise ValueError("author_full_name is empty; expected a name such as 'Ada Lovelace'")
    return name


@dataclass(frozen=True, slots=True)
class Author:
    """One person; the last word of the full name is the last name."""

    id: str
    first_name: str
    last_name: str

    @classmethod
    def from_full_name(cls, full_name: str) -> "Author":
        """Build the record of a person; case and spacing of the name do not change the id."""
        name = author_name(full_name)
        first_name, _, last_name = name.rpartition(" ")
        return cls(id=author_id(name), first_name=first_name, last_name=last_name)

    @property
    def full_name(self) -> str:
        """First and last name, separated by one space."""
        return f"{self.first_name} {self.last_name}".strip()

    def better_spelled(self, other: "Author") -> "Author":
        """Return whichever of two spellings of one name should be shown.

        Mixed case wins over `ADA LOVELACE` and `ada lovelace`. Between two spellings that are
        both mixed, or both not, the first in code point order wins, so that the choice does not
        depend on which of them a store saw first.
        """
        return min(self, other, key=_spelling)


def _spelling(author: Author) -> tuple[bool, str]:
    name = author.full_name
    return name.isupper() or name.islower(), name
