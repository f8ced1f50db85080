"""A fake model for tests and dry runs: deterministic, free, and without a network."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable

from moodswarm.llm.errors import RequestRefused
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Finish, Usage
from moodswarm.llm.providers.schema_instance import instance

#: A text to answer with, a whole answer, an error to raise, or a function of the request.
Reply = str | ChatResponse | BaseException | Callable[[ChatRequest], str]

_SOURCE = re.compile(
    r'<source id="1"[^>]*>\s*(?P<tagged>.*?)\s*</source>|^\[1\][^\n]*\n(?P<plain>[^\n]+)',
    re.DOTALL | re.MULTILINE,
)
_QUOTED_WORDS = 20
#: Number of requests that are kept; more would fill the memory in a dry run of a large batch.
_REMEMBERED = 1_000
_PIECE = re.compile(r"\s*\S+|\s+\Z")


class FakeProvider:
    """Answers the same request with the same answer.

    If the request has a JSON schema, the answer is the schema's smallest instance. If the prompt
    has numbered sources, the answer is the beginning of the first source, with its citation.
    Otherwise it is a short text made from the request. Each word counts as one token.

    Args:
        replies: Replies to use in order instead of such answers; when none is left, requests are
            refused.
        seconds_per_piece: Pause before each word of a stream, and before an answer in one piece.
    """

    def __init__(
        self, replies: Iterable[Reply] | None = None, *, seconds_per_piece: float = 0.0
    ) -> None:
        self._replies = None if replies is None else list(replies)
        self._seconds = seconds_per_piece
        #: The latest requests, in order.
        self.requests: list[ChatRequest] = []
        #: Number of streams that were closed, whether read to their end or left early.
        self.streams_closed = 0
        self.closed = False

    def __repr__(self) -> str:
        return "FakeProvider()"

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Return the answer in one piece."""
        response = self._reply(request)
        await asyncio.sleep(self._seconds)
        return response

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Yield the answer word by word; the last delta carries the whole response."""
        try:
            response = self._reply(request)
            for piece in _PIECE.findall(response.text):
                await asyncio.sleep(self._seconds)
                yield Delta(piece)
            yield Delta("", response)
        finally:
            self.streams_closed += 1

    async def close(self) -> None:
        """Record that the provider was closed."""
        self.closed = True

    def _reply(self, request: ChatRequest) -> ChatResponse:
        self.requests.append(request)
        del self.requests[:-_REMEMBERED]
        if self._replies is None:
            return respond(request, _made_up(request))
        if not self._replies:
            raise RequestRefused(
                f"the fake provider has no reply left for request {len(self.requests)}"
            )
        reply = self._replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(reply, ChatResponse):
            return reply
        return respond(request, reply if isinstance(reply, str) else reply(request))


def respond(request: ChatRequest, text: str) -> ChatResponse:
    """Return a text as a response that keeps to the request's `max_tokens` and `stop`."""
    finish: Finish = "stop"
    for ending in request.stop:
        text = text.partition(ending)[0]
    words = list(_PIECE.finditer(text))
    if request.max_tokens is not None and len(words) > request.max_tokens:
        text, finish = text[: words[request.max_tokens].start()], "length"
    prompt = sum(len(message.content.split()) for message in request.messages)
    return ChatResponse(
        text=text, finish=finish, usage=Usage(prompt, len(text.split())), model="fake"
    )


def _made_up(request: ChatRequest) -> str:
    asked = request.messages[-1].content
    if request.json_schema is not None:
        words = " ".join(re.sub(r"<[^>]*>", " ", asked).split()[:3])
        return json.dumps(instance(request.json_schema, words or "text"), ensure_ascii=False)
    if source := _first_source(request):
        return f"{source} [1]."
    # The hash changes with everything that changes an answer.
    return f"Fake answer {request.content_hash('fake')[:8]} to: {' '.join(asked.split()[:12])}"


def _first_source(request: ChatRequest) -> str:
    for message in reversed(request.messages):
        if message.role == "user" and (found := _SOURCE.search(message.content)):
            words = (found["tagged"] or found["plain"] or "").split()
            return " ".join(words[:_QUOTED_WORDS]).rstrip(".")
    return ""
