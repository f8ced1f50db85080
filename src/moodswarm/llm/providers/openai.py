"""Endpoints with OpenAI's chat completions API: OpenAI, vLLM, llama.cpp, transformers."""

from collections.abc import AsyncGenerator
from typing import Any

from moodswarm.llm.chat import closing
from moodswarm.llm.errors import ProfileError, RequestRefused
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Finish, Usage
from moodswarm.llm.providers.endpoint import EndpointOptions
from moodswarm.llm.providers.provider import Transient
from moodswarm.llm.providers.tolerance import Tolerance

DEFAULT_URL = "https://api.openai.com/v1"
_FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "content_filter"}


class OpenAIProvider:
    """One endpoint, through `AsyncOpenAI`, whose own retries are off.

    Raises:
        ProfileError: the package openai is missing.
    """

    def __init__(self, options: EndpointOptions) -> None:
        try:
            import openai
        except ImportError as error:
            raise ProfileError(
                f'provider openai: {error.name} is not installed: pip install "moodswarm[llm]"'
            ) from None
        self._options, self._sdk = options, openai
        self._failures = options.failures()
        self._tolerance = Tolerance(
            ("stream_options", "response_format", "temperature", "seed"),
            {"max_tokens": "max_completion_tokens"},
        )
        self._client = openai.AsyncOpenAI(**options.client_arguments(openai))
        nobody = options.key is None and not options.authorization
        self._headers = {"Authorization": openai.omit} if nobody else None
        # Accessed here, because the SDK imports this part of itself at the first access.
        self._completions: Any = self._client.chat.completions

    def __repr__(self) -> str:
        return f"OpenAIProvider({self._failures.address!r}, {self._options.model!r})"

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Return the answer in one piece."""
        completion = await self._create(request)
        with self._failures.reading(completion):
            choice = completion.choices[0]
            refusal = _text(getattr(choice.message, "refusal", None))
            return ChatResponse(
                text=_text(choice.message.content) or refusal,
                finish="content_filter" if refusal else _finish(choice.finish_reason),
                usage=_usage(completion.usage),
                model=str(completion.model or ""),
            )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Yield the answer piece by piece; the last delta carries the whole response."""
        while True:
            sent = self._tolerance.fit(self._body(request, stream=True))
            begun = False
            try:
                async with closing(self._pieces(request)) as deltas:
                    async for delta in deltas:
                        begun = begun or bool(delta.text)
                        yield delta
                return
            except (RequestRefused, Transient) as error:
                # Some servers begin the stream before they render the messages, which can fail.
                if begun or not self._tolerance.learn_roles(str(error), sent):
                    raise

    async def _pieces(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        chunks = await self._create(request, stream=True)
        pieces: list[str] = []
        finish: object = None
        usage, model = Usage(), ""
        with self._failures.from_sdk(self._sdk):
            async with chunks:
                async for chunk in chunks:
                    with self._failures.reading(chunk):
                        model, usage = str(chunk.model or model), _usage(chunk.usage, usage)
                        piece = ""
                        for choice in chunk.choices or ():
                            finish = choice.finish_reason or finish
                            piece += _text(choice.delta.content) if choice.delta else ""
                    pieces.append(piece)
                    yield Delta(piece)
        if finish is None:
            raise self._failures.broken_off(chunks.response, pieces)
        text, ending = "".join(pieces), _finish(finish)
        yield Delta("", ChatResponse(text=text, finish=ending, usage=usage, model=model))

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    async def _create(self, request: ChatRequest, *, stream: bool = False) -> Any:
        body = self._body(request, stream=stream)
        while True:
            sent = self._tolerance.fit(body)
            try:
                with self._failures.from_sdk(self._sdk):
                    made = await self._completions.create(**sent, extra_headers=self._headers)
                if not stream and (inside := getattr(made, "error", None)):
                    raise self._failures.inside(inside)
                return made
            except RequestRefused as error:
                if not self._tolerance.learn(str(error), sent):
                    raise
            except Transient as error:
                # llama.cpp answers with status 500 if a chat template refuses a role.
                if not self._tolerance.learn_roles(str(error), sent):
                    raise

    def _body(self, request: ChatRequest, *, stream: bool) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._options.model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            "stop": list(request.stop) or None,
        }
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if self._options.structured and request.json_schema is not None:
            schema = {"name": "answer", "schema": dict(request.json_schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return {name: value for name, value in body.items() if value is not None}


def _usage(counted: Any, before: Usage | None = None) -> Usage:
    if counted is None:
        return before or Usage()
    return Usage.counted(
        getattr(counted, "prompt_tokens", None), getattr(counted, "completion_tokens", None)
    )


def _finish(reason: object) -> Finish:
    return _FINISHES.get(str(reason), "stop")


def _text(content: Any) -> str:
    """Return the text of an answer; some endpoints send it in parts, some of which are thinking.

    Raises:
        TypeError, LookupError: the content is neither a text nor a list of parts.
    """
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return "" + (content or "")
