"""One OpenTelemetry span per call, following the semantic conventions for generative AI.

Source: https://github.com/open-telemetry/semantic-conventions-genai, `gen_ai.client.inference`.
The names are spelled out here, because the Python package has only deprecated copies of them.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from moodswarm.llm.addresses import check_url
from moodswarm.llm.errors import ProfileError
from moodswarm.llm.hooks.hook import Call, HookOptions
from moodswarm.llm.messages import ChatRequest, ChatResponse
from moodswarm.llm.redaction import Redactor

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    Attributes = dict[str, AttributeValue]

#: A number of characters that no key exceeds; see `TraceHook._part`.
_MARGIN = 4_096


class TraceOptions(HookOptions):
    """Where spans are sent, and what they contain.

    Attributes:
        endpoint: Full address for traces, such as http://127.0.0.1:4318/v1/traces; None to use the
            standard variables `OTEL_EXPORTER_OTLP_*`. Keys belong in `OTEL_EXPORTER_OTLP_HEADERS`.
        service: Name of the service under which spans are filed.
        text: Whether spans contain messages and answers, redacted.
        max_characters: Maximum number of characters of one message in a span.
        timeout_seconds: Time limit for one export.
    """

    name: Literal["trace"] = "trace"
    endpoint: str | None = None
    service: str = "moodswarm"
    text: bool = False
    max_characters: int = Field(default=20_000, ge=1)
    timeout_seconds: float = Field(default=5.0, gt=0)

    @field_validator("endpoint")
    @classmethod
    def _without_password(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(check_url(value)).username is not None:
            raise ValueError(
                "the address contains a user name. Put credentials in OTEL_EXPORTER_OTLP_HEADERS"
            )
        return value


class TraceHook:
    """Opens a span before a call and ends it after the call; spans are exported in the background.

    Args:
        server: Address of the model's endpoint, without credentials.
        exporter: Sends the spans; None for OTLP over HTTP.

    Raises:
        ProfileError: the packages of the `trace` extra are missing.
    """

    name = "trace"

    def __init__(
        self,
        options: TraceOptions,
        redact: Redactor,
        *,
        server: str = "",
        exporter: "SpanExporter | None" = None,
    ) -> None:
        try:
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ALWAYS_ON
            from opentelemetry.trace import SpanKind, Status, StatusCode

            exporter = exporter or _otlp(options)
        except ImportError as error:
            raise ProfileError(
                f'hook trace: {error.name} is not installed: pip install "moodswarm[trace]"'
            ) from None
        self._options, self._redact = options, redact
        self._kind = SpanKind.CLIENT
        self._failed: Callable[[str], Status] = partial(Status, StatusCode.ERROR)
        # The hook has a tracer provider of its own: with the provider of the service around it,
        # spans would vanish whenever their parent is not sampled.
        resource = Resource.create({"service.name": options.service})
        self._spans = TracerProvider(sampler=ALWAYS_ON, resource=resource)
        self._spans.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._spans.get_tracer("moodswarm.llm")
        self._server = _server_attributes(server)
        self._closed = False

    def before(self, call: Call) -> None:
        """Open the span."""
        attributes: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": call.provider,
            "gen_ai.request.model": call.model,
            **self._server,
            **_request_attributes(call.request),
        }
        name = f"chat {call.model}"
        call.state[self.name] = self._tracer.start_span(
            name, kind=self._kind, attributes=attributes
        )

    def after(self, call: Call) -> None:
        """End the span with what is known about the answer."""
        span: Span = call.state.pop(self.name)
        attributes: Attributes = {"moodswarm.attempts": call.attempts}
        if call.first_token_milliseconds is not None:
            attributes["gen_ai.request.stream"] = True
            seconds = call.first_token_milliseconds / 1_000
            attributes["gen_ai.response.time_to_first_chunk"] = seconds
        if call.response is not None:
            attributes |= _response_attributes(call.response, call.currency)
        if call.stopped:
            attributes["moodswarm.stopped"] = True
        elif call.error is not None:
            attributes["error.type"] = type(call.error).__name__
            span.set_status(self._failed(self._redact(str(call.error))))
        if self._options.text:
            attributes |= self._texts(call)
        span.set_attributes(attributes)
        span.end()

    def close(self) -> None:
        """Export the spans that are waiting."""
        if not self._closed:
            self._closed = True
            self._spans.shutdown()

    def _texts(self, call: Call) -> "Attributes":
        messages = call.request.messages
        texts: Attributes = {}
        if messages and messages[0].role == "system":
            texts["gen_ai.system_instructions"] = json.dumps([self._part(messages[0].content)])
            messages = messages[1:]
        said = [{"role": one.role, "parts": [self._part(one.content)]} for one in messages]
        texts["gen_ai.input.messages"] = json.dumps(said, ensure_ascii=False)
        if call.response is not None:
            answer = {
                "role": "assistant",
                "parts": [self._part(call.response.text)],
                "finish_reason": call.response.finish,
            }
            texts["gen_ai.output.messages"] = json.dumps([answer], ensure_ascii=False)
        return texts

    def _part(self, text: str) -> dict[str, str]:
        limit = self._options.max_characters
        if len(text) <= limit:
            return {"type": "text", "content": self._redact(text)}
        # The first cut may split a key, which is then not recognised. The second cut, nearer
        # the beginning, removes such a split key.
        window = self._redact(text[: limit + _MARGIN])
        kept = window[: max(0, min(limit, len(window) - _MARGIN))]
        return {"type": "text", "content": f"{kept}... [cut, {len(text):,} characters]"}


def _otlp(options: TraceOptions) -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=options.endpoint, timeout=options.timeout_seconds)


def _server_attributes(url: str) -> "Attributes":
    parts = urlsplit(url)
    if not parts.hostname:
        return {}
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return {"server.address": parts.hostname, "server.port": port}


def _request_attributes(request: ChatRequest) -> "Attributes":
    values: dict[str, Any] = {
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.seed": request.seed,
        "gen_ai.request.stop_sequences": request.stop or None,
        "gen_ai.output.type": "json" if request.json_schema is not None else None,
        "gen_ai.prompt.name": request.template or None,
        "moodswarm.task": request.task or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _response_attributes(response: ChatResponse, currency: str) -> "Attributes":
    values: dict[str, Any] = {
        "gen_ai.response.model": response.model or None,
        "gen_ai.response.finish_reasons": (response.finish,),
        "gen_ai.usage.input_tokens": response.usage.prompt_tokens,
        "gen_ai.usage.output_tokens": response.usage.completion_tokens,
        "moodswarm.cost": response.cost,
        "moodswarm.currency": currency if response.cost is not None else None,
    }
    return {name: value for name, value in values.items() if value is not None}
