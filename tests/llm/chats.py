"""Small clients for tests: one with given replies, and one with an answer to every question."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from pydantic import BaseModel

from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Usage
from moodswarm.llm.tasks.task import Task
from moodswarm.llm.tasks.templates import PromptTemplate

QUESTION = PromptTemplate.from_text("ask", "{% block user %}{{ text | quoted }}{% endblock %}")


class Answer(BaseModel):
    """The answer in tests."""

    answer: str


ASK = Task("ask", QUESTION, Answer, max_tokens=50)


def cut_off(text: str) -> ChatResponse:
    return ChatResponse(text=text, finish="length", usage=Usage(10, 50), cost=0.5)


class Replies:
    """Returns or raises the given replies in order; a text takes 10 + 5 tokens and costs 0.25."""

    model = "m"

    def __init__(self, *replies: str | ChatResponse | Exception) -> None:
        self.replies = [*replies]
        self.requests: list[ChatRequest] = []

    async def chat(self, request: ChatRequest) -> ChatResponse:
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, ChatResponse):
            return reply
        return ChatResponse(text=reply, usage=Usage(10, 5), cost=0.25)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        response = await self.chat(request)
        for word in response.text.split(" "):
            yield Delta(word + " ")
        yield Delta("", response)


class Crowd:
    """Answers according to a question's text, after a turn of the event loop; counts open calls.

    Args:
        answer: Returns the answer to a question's text, or raises an error.
    """

    model = "m"

    def __init__(
        self, answer: Callable[[str], str] = lambda text: f'{{"answer": "{text}"}}'
    ) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0

    async def chat(self, request: ChatRequest) -> ChatResponse:
        text = request.messages[0].content
        self.asked.append(text)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            return ChatResponse(text=self._answer(text), usage=Usage(10, 5), cost=0.25)
        finally:
            self.at_once -= 1

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        response = await self.chat(request)
        yield Delta(response.text, response)
