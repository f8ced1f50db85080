"""The outcome of each item of a batch, and what it cost."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from moodswarm.llm.chat import Chat
from moodswarm.llm.errors import GuardRefused, LlmError
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Usage
from moodswarm.llm.tasks.conversation import add_up

T = TypeVar("T")
#: The variables of the template for one task.
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult(Generic[T]):
    """The outcome of one item.

    Attributes:
        index: The item's position, from 0; results come in the order in which items finish.
        item: The variables of the template.
        value: The answer; None if the item failed.
        error: Why the item failed; None if it did not.
        cached: Whether the item needed no call, because its answer was in the cache or an equal
            item was in flight.
        usage, cost, asks: Tokens, cost and calls that the item took, even if it failed; None if
            unknown.
    """

    index: int
    item: Item
    value: T | None = None
    error: LlmError | None = None
    cached: bool = False
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    asks: int = 0
    repaired: bool = False

    @property
    def reason(self) -> str | None:
        """Return the name of the error, such as `AnswerUnusable`; None if there is no error."""
        return type(self.error).__name__ if self.error else None


@dataclass(slots=True, kw_only=True)
class BatchReport:
    """The state of a batch so far.

    Attributes:
        done: Items with an answer, including those from the cache.
        cached: Items that needed no call; see `ItemResult`.
        failed: Items without an answer, by reason.
        not_started: After a stop, items for which no call was made; None if their number is
            unknown.
        prompt_tokens, completion_tokens, cost: Totals over all calls for which they are known.
        calls: Calls that the model answered.
        stopped: Why the batch ended before its last item; None if it did not.
    """

    done: int = 0
    cached: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    not_started: int | None = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    calls: int = 0
    stopped: str | None = None

    def __str__(self) -> str:
        failures = ", ".join(f"{count} {reason}" for reason, count in sorted(self.failed.items()))
        parts = [f"{self.done} done ({self.cached} without a call)"]
        parts += [f"{self.failed.total()} failed ({failures})"] * bool(self.failed)
        if self.not_started != 0:
            parts.append(f"{'?' if self.not_started is None else self.not_started} not started")
        parts.append(f"{self.calls} calls, {self.prompt_tokens}+{self.completion_tokens} tokens")
        parts += [f"stopped: {self.stopped}"] * bool(self.stopped)
        return "; ".join(parts)


class Meter:
    """A client that remembers what one item cost, even if the item fails in the end."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._responses: list[ChatResponse] = []

    @property
    def model(self) -> str:
        """The name of the model."""
        return self._chat.model

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Ask the model, and remember its answer."""
        try:
            response = await self._chat.chat(request)
        except GuardRefused as refusal:
            self._responses += [refusal.response] if refusal.response else []
            raise
        self._responses.append(response)
        return response

    def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        """Raise NotImplementedError, because a batch reads whole answers."""
        raise NotImplementedError("a batch reads whole answers, not streams")

    def complete(self, result: ItemResult[T], report: BatchReport) -> ItemResult[T]:
        """Return the result with its tokens and cost, and add them to the report."""
        usage, cost = add_up(self._responses)
        report.calls += len(self._responses)
        for response in self._responses:
            report.prompt_tokens += response.usage.prompt_tokens or 0
            report.completion_tokens += response.usage.completion_tokens or 0
            report.cost += response.cost or 0.0
        return replace(result, usage=usage, cost=cost, asks=len(self._responses))
