"""A question to the corpus, and the filters that narrow its search."""

from dataclasses import dataclass
from datetime import date

from moodswarm.records import KINDS

MAX_QUESTION_CHARACTERS = 20_000
MAX_HITS = 1_000


class BadQuestion(ValueError):
    """The question cannot be searched for; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that every hit meets; an empty condition is met by everything.

    Attributes:
        author_ids: The hit is by any of these authors.
        kinds: The hit is of any of these kinds; empty means all.
        since: Published on this day or later, UTC. Undated documents do not meet this condition.
        until: Published on this day or earlier, UTC.

    Raises:
        BadQuestion: a kind is unknown, or `since` is after `until`.
    """

    author_ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.kinds) - set(KINDS):
            raise BadQuestion(f"unknown kinds {sorted(unknown)}; known: {', '.join(KINDS)}")
        if self.since and self.until and self.since > self.until:
            raise BadQuestion(
                f"nothing is both since {self.since} and until {self.until}; swap the dates, or "
                "leave one out"
            )


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the conditions that the caller sets.

    Attributes:
        text: The text, with at least one visible character and at most `MAX_QUESTION_CHARACTERS`.
            Halves of surrogate pairs, which a terminal makes from bytes that are not text, become
            question marks.
        filters: The caller's conditions; self-query narrows them, and never widens them.
        k: How many hits to return, 1 to 1,000.

    Raises:
        BadQuestion: the text is empty or too long, or k is out of range.
    """

    text: str
    filters: Filters = Filters()
    k: int = 5

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.encode(errors="replace").decode())
        if not any(sign.isprintable() and not sign.isspace() for sign in self.text):
            raise BadQuestion("the question is empty; expected a question or some words")
        if len(self.text) > MAX_QUESTION_CHARACTERS:
            raise BadQuestion(
                f"the question has {len(self.text):,} characters; expected at most "
                f"{MAX_QUESTION_CHARACTERS:,}. Ask about the text instead of with it"
            )
        if not 1 <= self.k <= MAX_HITS:
            raise BadQuestion(f"k is {self.k}; expected 1 to {MAX_HITS}")
