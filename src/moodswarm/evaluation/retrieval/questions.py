"""The test set for the project's own corpus: questions with the chunks that they expect."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from moodswarm.records.ids import digest

#: A question is made from the rarer words of one sentence, from the title and words of one
#: sentence, from the most telling words of the whole chunk, or from the docstring or the name of a
#: piece of code; or a language model wrote it.
QuestionType = Literal["words", "title", "topic", "docstring", "name", "written"]
QUESTION_TYPES: tuple[QuestionType, ...] = get_args(QuestionType)

FORMAT = 1


class UnreadableQuestions(ValueError):
    """A recorded test set cannot be read; the message says what was expected, and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestQuestion:
    """A question, and the chunks that answer it.

    Attributes:
        id: An id that is always the same for the same text, type and chunk.
        type: One of `QUESTION_TYPES`.
        text: The question itself.
        chunk_id: The id of the chunk that the question was made from.
        expected: The ids of that chunk and of all others that answer the question as well, sorted.
        kind: The kind of the document.
        author_id: The id of the document's author.
        evidence: The part of the chunk that the question was made from; every chunk that holds this
            part is expected. Empty for the whole chunk.
    """

    # Without this, pytest would take a class with this name for a collection of tests.
    __test__ = False

    id: str
    type: QuestionType
    text: str
    chunk_id: str
    expected: tuple[str, ...]
    kind: str
    author_id: str
    evidence: str = ""


def question_id(question_type: QuestionType, text: str, chunk_id: str) -> str:
    """Return the id of a question."""
    return digest({"type": question_type, "text": text, "chunk_id": chunk_id})[:16]


def version_of(questions: Iterable[TestQuestion]) -> str:
    """Return a name that changes with the questions and with the chunks that they expect."""
    return digest({question.id: list(question.expected) for question in questions})[:16]


def to_json(questions: Sequence[TestQuestion]) -> dict[str, Any]:
    """Return the test set as the catalog keeps it."""
    return {
        "format": FORMAT,
        "version": version_of(questions),
        "questions": [asdict(question) for question in questions],
    }


def from_json(recorded: Mapping[str, Any] | None) -> list[TestQuestion]:
    """Return the questions that `to_json` wrote, or an empty list if nothing was recorded.

    Raises:
        UnreadableQuestions: the record has another format.
    """
    if recorded is None:
        return []
    try:
        if recorded["format"] != FORMAT:
            raise ValueError(f"format {recorded['format']!r}, expected {FORMAT}")
        return [
            TestQuestion(**{**values, "expected": tuple(values["expected"])})
            for values in recorded["questions"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableQuestions(
            f"catalog entry `retrieval_questions` holds no test set ({error}); delete its newest "
            "version, and the next run takes the one before or writes a new one"
        ) from error


def count_types(questions: Iterable[TestQuestion]) -> dict[str, int]:
    """Return how many questions there are of each type, in the order of `QUESTION_TYPES`."""
    counts = Counter(question.type for question in questions)
    return {name: counts[name] for name in QUESTION_TYPES if counts[name]}
