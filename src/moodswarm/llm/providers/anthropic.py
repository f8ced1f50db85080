"""Anthropic's Messages API, through Anthropic's own SDK."""

from collections.abc import AsyncGenerator
from typing import Any

from moodswarm.llm.errors import ProfileError, RequestRefused
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Finish, Usage
from moodswarm.llm.providers.endpoint import EndpointOptions
from moodswarm.llm.providers.tolerance import Tolerance

DEFAULT_URL = "https://api.anthropic.com"
_MAX_TOKENS = 1024
_FINISHES: dict[str, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


class AnthropicProvider:
    """One endpoint, through `AsyncAnthropic`, whose own retries are off.

    The system message is sent separately from the others. A seed is left out, because the API
    does not accept one.

    Raises:
        ProfileError: the package anthropic is missing.
    """

    def __init__(self, options: EndpointOptions) -> None:
        try:
            import anthropic
        except ImportError as error:
            raise ProfileError(
                f"provider anthropic: {error.name} is not installed: "
                'pip install "moodswarm[anthropic]"'
            ) from None
        self._options, self._sdk = options, anthropic
        self._failures = options.failures()
        self._tolerance = Tolerance(("temperature", "output_config"))
        self._client = anthropic.AsyncAnthropic(**options.client_arguments(anthropic))
        # Accessed here, because the SDK imports this part of itself at the first access.
        self._messages: Any = self._client.messages

    def __repr__(self) -> str:
        return f"AnthropicProvider({self._failures.address!r}, {self._options.model!r})"

    async def chat(self, request: ChatRequest) -> ChatResponse:
        """Return the answer in one piece."""
        message = await self._create(request)
        with self._failures.reading(message):
            return ChatResponse(
                text="".join(block.text for block in message.content if block.type == "text"),
                finish=_finish(message.stop_reason),
                usage=Usage.counted(message.usage.input_tokens, message.usage.output_tokens),
                model=str(message.model or ""),
            )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Yield the answer piece by piece; the last delta carries the whole response."""
        events = await self._create(request, stream=True)
        pieces: list[str] = []
        finish, model = None, ""
        prompt_tokens = completion_tokens = None
        with self._failures.from_sdk(self._sdk):
            async with events:
                async for event in events:
                    piece = ""
                    with self._failures.reading(event):
                        if event.type == "message_start":
                            model = event.message.model
                            prompt_tokens = event.message.usage.input_tokens
                        elif event.type == "message_delta":
                            finish = event.delta.stop_reason or finish
                            completion_tokens = event.usage.output_tokens
                        elif event.type == "content_block_delta":
                            is_text = event.delta.type == "text_delta"
                            piece += event.delta.text if is_text else ""
                    pieces.append(piece)
                    yield Delta(piece)
        if finish is None:
            raise self._failures.broken_off(events.response, pieces)
        response = ChatResponse(
            text="".join(pieces),
            finish=_finish(finish),
            usage=Usage.counted(prompt_tokens, completion_tokens),
            model=str(model or ""),
        )
        yield Delta("", response)

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    async def _create(self, request: ChatRequest, *, stream: bool = False) -> Any:
        body = self._body(request)
        while True:
            sent = self._tolerance.fit(body)
            # The SDK has no parameter `temperature`, because new models refuse it; it is sent
            # beside the known parameters, because older models accept it.
            extra = {"temperature": sent["temperature"]} if "temperature" in sent else {}
            known = {name: value for name, value in sent.items() if name not in extra}
            if stream:
                known["stream"] = True
            try:
                with self._failures.from_sdk(self._sdk):
                    return await self._messages.create(**known, extra_body=extra or None)
            except RequestRefused as error:
                if not self._tolerance.learn(str(error), sent):
                    raise

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        system = [one.content for one in request.messages if one.role == "system"]
        said = [one for one in request.messages if one.role != "system"]
        body: dict[str, Any] = {
            "model": self._options.model,
            "system": system[0] if system else None,
            "messages": [{"role": one.role, "content": one.content} for one in said],
            "max_tokens": request.max_tokens or _MAX_TOKENS,
            "temperature": request.temperature,
            "stop_sequences": list(request.stop) or None,
        }
        if self._options.structured and request.json_schema is not None:
            # The endpoint accepts only schemas whose objects allow no further properties.
            schema = self._sdk.transform_schema(dict(request.json_schema))
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return {name: value for name, value in body.items() if value is not None}


def _finish(reason: object) -> Finish:
    return _FINISHES.get(str(reason), "stop")
