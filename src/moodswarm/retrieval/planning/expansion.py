"""A model words a question in other ways, so that passages in other words are found too."""

from functools import cache

from pydantic import BaseModel, Field

from moodswarm.llm.chat import Chat
from moodswarm.llm.tasks.task import Task
from moodswarm.llm.tasks.templates import PromptTemplate
from moodswarm.retrieval.planning.folding import fold

#: The model reads only the beginning of a longer question.
READ_CHARACTERS = 2_000
#: A longer text is not a wording of a question, and is not searched for.
MAX_WORDING_CHARACTERS = 400
_TOKENS_EACH = 80


class Wordings(BaseModel):
    """The model's answer."""

    wordings: list[str] = Field(max_length=50)


async def other_wordings(chat: Chat, question: str, count: int) -> tuple[str, ...]:
    """Ask a model for other wordings of a question.

    Returns:
        At most `count` wordings, in the model's order. Wordings that differ from the question or
        from each other only in case, accents, spaces or the marks at either end count as the same.

    Raises:
        LlmError: there is no usable answer.
    """
    result = await _task(count).run(chat, question=question[:READ_CHARACTERS], count=count)
    known = {_key(question)}
    kept: list[str] = []
    for wording in (" ".join(each.split()) for each in result.value.wordings):
        if wording and len(wording) <= MAX_WORDING_CHARACTERS and _key(wording) not in known:
            known.add(_key(wording))
            kept.append(wording)
    return tuple(kept[:count])


def _key(text: str) -> str:
    return fold(text).casefold().strip(" ?.!\"'")


@cache
def _task(count: int) -> Task[Wordings]:
    template = PromptTemplate.load("moodswarm.retrieval", "expand")
    return Task("expand", template, Wordings, max_tokens=100 + _TOKENS_EACH * count)
