"""Asks a model until there is a whole answer, and adds up tokens and cost."""

from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from moodswarm.llm.chat import Chat
from moodswarm.llm.errors import AnswerCutOff, AnswerUnusable
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage
from moodswarm.llm.tasks.quoting import quote

T = TypeVar("T")
_MORE_ROOM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult(Generic[T]):
    """The result of a task.

    Attributes:
        value: The answer, validated.
        usage: Tokens of all calls together; None if the endpoint did not report them.
        cost: Cost of all calls together; None if unknown.
        asks: Number of calls that were made; 1 if the first answer was good.
        repaired: Whether broken JSON had to be repaired.
    """

    value: T
    usage: Usage
    cost: float | None
    asks: int = 1
    repaired: bool = False


@dataclass
class Conversation:
    """The calls that one task makes until it has an answer.

    Attributes:
        request: The next request; an objection adds the last answer and its faults.
        responses: The answers so far.
    """

    chat: Chat
    request: ChatRequest
    responses: list[ChatResponse] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._opening = self.request.messages

    async def ask(self) -> str:
        """Return a whole answer; if it is cut off, ask once more with twice the `max_tokens`.

        Raises:
            LlmError: as in `complete` and in the client.
        """
        response = await self._call()
        if response.finish == "length" and self.request.max_tokens:
            self.request = replace(self.request, max_tokens=_MORE_ROOM * self.request.max_tokens)
            response = await self._call()
        return complete(self.request, response)

    async def _call(self) -> ChatResponse:
        response = await self.chat.chat(self.request)
        self.responses.append(response)
        return response

    def object_to(self, answer: str, faults: str) -> None:
        """Tell the model what is wrong with its answer.

        Both texts are quoted, because they can contain text from a document.
        """
        said = Message("assistant", quote(answer).strip() or "(nothing)")
        told = Message(
            "user",
            f"That answer cannot be used: {quote(faults)}\nAnswer again, with the JSON only.",
        )
        self.request = replace(self.request, messages=(*self._opening, said, told))

    def result(self, value: T, *, repaired: bool = False) -> TaskResult[T]:
        """Return the value with its tokens and cost."""
        usage, cost = add_up(self.responses)
        asks = len(self.responses)
        return TaskResult(value=value, usage=usage, cost=cost, asks=asks, repaired=repaired)


def complete(request: ChatRequest, response: ChatResponse) -> str:
    """Return the text of a response that is whole.

    Raises:
        AnswerCutOff: the answer reached its token limit.
        AnswerUnusable: the provider withheld the answer.
    """
    if response.finish == "length":
        raise AnswerCutOff(
            f"{named(request)}: the answer reached its limit of {request.max_tokens} tokens."
            " Give the task more room (max_tokens)",
            response.text,
        )
    if response.finish == "content_filter":
        raise AnswerUnusable(f"{named(request)}: the provider withheld the answer", response.text)
    return response.text


def add_up(responses: list[ChatResponse]) -> tuple[Usage, float | None]:
    """Return total tokens and cost of several responses; a total with an unknown part is None."""

    def total(values: list[Any]) -> Any:
        return None if None in values else sum(values)

    usage = Usage(
        total([response.usage.prompt_tokens for response in responses]),
        total([response.usage.completion_tokens for response in responses]),
    )
    return usage, total([response.cost for response in responses])


def named(request: ChatRequest) -> str:
    """Return the names of a request's task and template, for error messages."""
    return f"task {request.task} ({request.template})"
