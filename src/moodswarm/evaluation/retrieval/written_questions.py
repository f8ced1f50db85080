"""A language model writes questions: for each chunk, one that the chunk answers."""

import re
from collections.abc import Sequence
from functools import cache as once

from pydantic import BaseModel, Field

from moodswarm.evaluation.retrieval.known_items import build
from moodswarm.evaluation.retrieval.questions import TestQuestion
from moodswarm.evaluation.retrieval.survey import ChunkText
from moodswarm.evaluation.retrieval.words import shingles, words
from moodswarm.llm.batch.batch import run_batch
from moodswarm.llm.batch.budget import Budget
from moodswarm.llm.batch.cache import TaskCache
from moodswarm.llm.chat import Chat
from moodswarm.llm.errors import BudgetSpent, LlmError
from moodswarm.llm.tasks.task import Task
from moodswarm.llm.tasks.templates import PromptTemplate

_WORDS = range(3, 61)
# If a larger share of a question's runs of three words is copied from its passage, a search for
# words alone would find the passage.
_MOST_COPIED = 0.5
_POINTS_AT_TEXT = re.compile(
    r"\b(?:this|the|above|given) (?:source|passage|text|excerpt|snippet|code above|author)\b",
    re.IGNORECASE,
)


class WrittenQuestion(BaseModel):
    """The model's answer."""

    question: str = Field(min_length=5, max_length=500)


async def write_questions(
    chat: Chat,
    chunks: Sequence[ChunkText],
    *,
    concurrency: int,
    cache: TaskCache | None = None,
    budget: Budget | None = None,
) -> list[TestQuestion | str]:
    """Ask a model for a question about each chunk.

    Args:
        chat: The model.
        chunks: The chunks to ask about.
        concurrency: How many chunks are asked about at the same time.
        cache: A cache of answers, so that none is paid for twice if a run was stopped.
        budget: A limit on what the questions may cost; no call that would exceed it begins.

    Returns:
        For each chunk, its question or the reason why it has none: the name of an error, `copied`,
        `length` or `points_at_text`. If the endpoint goes down or the budget is spent, the
        remaining chunks get `EndpointDown` or `BudgetSpent`.
    """
    found: list[TestQuestion | str] = ["not_started"] * len(chunks)
    items = [{"title": chunk.title, "text": chunk.text} for chunk in chunks]
    batch = run_batch(_task(), chat, items, concurrency=concurrency, cache=cache, budget=budget)
    try:
        async for result in batch:
            chunk = chunks[result.index]
            found[result.index] = (
                _checked(result.value.question, chunk)
                if result.value is not None
                else result.reason or "failed"
            )
    except LlmError as error:
        return _with_reason(found, type(error).__name__)
    # A spent budget ends a batch without an error.
    return _with_reason(found, BudgetSpent.__name__) if batch.report.stopped else found


def _with_reason(found: list[TestQuestion | str], reason: str) -> list[TestQuestion | str]:
    return [reason if each == "not_started" else each for each in found]


def _checked(question: str, chunk: ChunkText) -> TestQuestion | str:
    text = " ".join(question.split())
    if len(words(text)) not in _WORDS:
        return "length"
    if _POINTS_AT_TEXT.search(text):
        return "points_at_text"
    runs = shingles(text)
    if len(runs & shingles(chunk.text)) > _MOST_COPIED * len(runs):
        return "copied"
    return build("written", (text, ""), chunk)


@once
def _task() -> Task[WrittenQuestion]:
    template = PromptTemplate.load("moodswarm.evaluation.retrieval", "write_question")
    return Task("write_question", template, WrittenQuestion, max_tokens=200)
