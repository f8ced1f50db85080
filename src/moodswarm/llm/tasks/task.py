"""Typed tasks: with a prompt template and an output model, a task returns a valid value or raises.

    class Verdict(BaseModel):
        positive: bool

    JUDGE = Task("judge", PromptTemplate.load(__package__, "judge"), Verdict, max_tokens=50)
    result = await JUDGE.run(chat, text="...")
    result.value.positive

The answer is searched for JSON, which is repaired if it is broken, and validated. If that fails,
the model is told what was wrong and asked again, up to `reasks` times. The client's network retries
do not count as such. An answer that reached its token limit is never accepted: it is asked for once
more with twice the `max_tokens`, and then `AnswerCutOff` is raised with the text so far.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from moodswarm.llm.chat import Chat, closing
from moodswarm.llm.errors import AnswerUnusable
from moodswarm.llm.messages import ChatRequest, Delta
from moodswarm.llm.tasks.conversation import Conversation, TaskResult, complete, named
from moodswarm.llm.tasks.json_values import find_values
from moodswarm.llm.tasks.templates import PromptTemplate, Trusted
from moodswarm.llm.tasks.thinking import AnswerStream, without_thinking

__all__ = ["Task", "TaskResult", "TextTask"]

M = TypeVar("M", bound=BaseModel)
_MOST_FAULTS = 5
_LONG = 2_000


class TextTask:
    """A task whose answer is text.

    Args:
        name: What the task is for; shown in logs, spans and stored calls.
        max_tokens: Maximum number of tokens in an answer.
    """

    def __init__(
        self, name: str, template: PromptTemplate, *, max_tokens: int, temperature: float = 0.0
    ) -> None:
        self.name, self.template = name, template
        self.max_tokens, self.temperature = max_tokens, temperature

    def request(self, **variables: Any) -> ChatRequest:
        """Return the request.

        Raises:
            PromptError: a variable is missing or unknown.
        """
        return ChatRequest(
            messages=self.template.render(**variables),
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            task=self.name,
            template=self.template.label,
        )

    async def run(self, chat: Chat, **variables: Any) -> TaskResult[str]:
        """Ask the model, and return its answer without its thinking.

        Raises:
            LlmError: `AnswerCutOff`, with the beginning of the answer, if it is cut off;
                `AnswerUnusable` if there is no text.
        """
        return await self.answer(chat, self.request(**variables))

    async def answer(self, chat: Chat, request: ChatRequest) -> TaskResult[str]:
        """Ask as `run` does, with a request that `request` returned."""
        conversation = Conversation(chat, request)
        text = without_thinking(await conversation.ask())
        if not text:
            raise AnswerUnusable(f"{named(request)}: the answer is empty")
        return conversation.result(text)

    async def stream(self, chat: Chat, **variables: Any) -> AsyncGenerator[Delta, None]:
        """Yield the answer as it is written, without the model's thinking.

        The last delta carries the response. If the response was cut off, the error is raised after
        that delta.

        Raises:
            LlmError: as in `run`.
        """
        request = self.request(**variables)
        answer = AnswerStream()
        response = None
        async with closing(chat.stream(request)) as deltas:
            async for delta in deltas:
                text = answer.add(delta.text)
                if delta.response is not None:
                    text += answer.end()
                    said = without_thinking(delta.response.text)
                    response = replace(delta.response, text=said)
                if text or delta.response is not None:
                    yield Delta(text, response)
        if response is not None and not complete(request, response):
            raise AnswerUnusable(f"{named(request)}: the answer is empty")

    def pack(self, value: str) -> Any:
        """Return the value in a form that JSON can hold."""
        return value

    def unpack(self, packed: Any) -> str:
        """Return the value that `pack` packed; raise ValueError for anything else."""
        if not isinstance(packed, str):
            raise ValueError(f"not a text: {type(packed).__name__}")
        return packed


class Task(Generic[M]):
    """A task whose answer is a Pydantic model.

    If the template has the variable `schema`, it receives the JSON Schema of the model.

    Args:
        name: What the task is for; shown in logs, spans and stored calls.
        output: The model of the answer. Its docstring is part of the JSON Schema that is sent, so
            a new wording changes the prompt, and cached answers are asked for again.
        max_tokens: Maximum number of tokens in an answer.
        reasks: How often, at most, the model is told what was wrong and asked again.
    """

    def __init__(
        self,
        name: str,
        template: PromptTemplate,
        output: type[M],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        reasks: int = 1,
    ) -> None:
        self.name, self.template, self.output = name, template, output
        self.max_tokens, self.temperature, self.reasks = max_tokens, temperature, reasks
        self._schema: Mapping[str, Any] = output.model_json_schema()

    def request(self, **variables: Any) -> ChatRequest:
        """Return the first request.

        Raises:
            PromptError: a variable is missing or unknown.
        """
        if "schema" in self.template.variables:
            variables["schema"] = Trusted(json.dumps(self._schema, ensure_ascii=False))
        return ChatRequest(
            messages=self.template.render(**variables),
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            json_schema=self._schema,
            task=self.name,
            template=self.template.label,
        )

    async def run(self, chat: Chat, **variables: Any) -> TaskResult[M]:
        """Ask until the answer fits the output model.

        Raises:
            LlmError: `AnswerUnusable` and `AnswerCutOff` carry the last answer.
        """
        return await self.answer(chat, self.request(**variables))

    async def answer(self, chat: Chat, request: ChatRequest) -> TaskResult[M]:
        """Ask as `run` does, with a request that `request` returned."""
        conversation = Conversation(chat, request)
        for _ in range(1 + self.reasks):
            text = await conversation.ask()
            if len(text) < _LONG:
                value, repaired, faults = self._parse(text)
            else:
                # A repair can take seconds, and other calls are waiting for the event loop.
                value, repaired, faults = await asyncio.to_thread(self._parse, text)
            if value is not None:
                return conversation.result(value, repaired=repaired)
            conversation.object_to(without_thinking(text), faults)
        raise AnswerUnusable(
            f"{named(request)}: after asking {len(conversation.responses)} times there is still no"
            f" {self.output.__name__}: {faults}",
            text,
        )

    def _parse(self, text: str) -> tuple[M | None, bool, str]:
        """Return the value and whether it was repaired, or None and what is wrong."""
        faults = ""
        for found in find_values(text):
            try:
                # Validated as JSON, because a strict model then reads a date from a string.
                value = self.output.model_validate_json(json.dumps(found.value))
            except ValidationError as error:
                faults = faults or _faults(error)
            else:
                return value, found.repaired, ""
        return None, False, faults or "there is no JSON object in it"

    def pack(self, value: M) -> Any:
        """Return the value in a form that JSON can hold, under the names of its fields."""
        return value.model_dump(mode="json", by_alias=False, round_trip=True)

    def unpack(self, packed: Any) -> M:
        """Return the value that `pack` packed; raise ValueError for anything else."""
        return self.output.model_validate_json(json.dumps(packed), by_name=True)


def _faults(error: ValidationError) -> str:
    """Return what is wrong with each field, without the values, which can be anything."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    named = (f"{'.'.join(map(str, fault['loc'])) or 'answer'}: {fault['msg']}" for fault in faults)
    return "; ".join([*named][:_MOST_FAULTS])
