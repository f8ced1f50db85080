"""Spans: the names of the semantic conventions, no text unless asked for, export and failure."""

import asyncio
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import ValidationError

from llm.clients import REQUEST, read, scripted
from moodswarm.llm.errors import RequestRefused
from moodswarm.llm.hooks.trace import TraceHook, TraceOptions
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage
from moodswarm.llm.providers.fake import Reply
from moodswarm.llm.redaction import Redactor

export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
SECRET = "sk-abcdefghijklmnopqrstuvwx"
SERVER = "http://127.0.0.1:8080/v1"


def spans(
    reply: Reply, request: ChatRequest = REQUEST, *, stream: bool = False, **options: Any
) -> list[Any]:
    exporter = export.InMemorySpanExporter()
    hook = TraceHook(TraceOptions(**options), Redactor(), server=SERVER, exporter=exporter)

    async def ask() -> None:
        async with scripted([reply], [hook]) as client:
            work = read(client, request) if stream else client.chat(request)
            await asyncio.gather(work, return_exceptions=True)

    asyncio.run(ask())
    return list(exporter.get_finished_spans())


def test_span_has_the_names_of_the_semantic_conventions() -> None:
    request = ChatRequest(
        messages=REQUEST.messages,
        max_tokens=9,
        temperature=0.5,
        seed=3,
        stop=("END",),
        task="greet",
    )
    (span,) = spans(ChatResponse(text="hi", usage=Usage(3, 2), model="fake-1"), request)
    assert span.name == "chat fake"
    assert span.kind.name == "CLIENT"
    assert span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "fake",
        "gen_ai.request.model": "fake",
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 3,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.model": "fake-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "server.address": "127.0.0.1",
        "server.port": 8080,
        "moodswarm.task": "greet",
        "moodswarm.attempts": 1,
    }


def test_text_is_in_a_span_only_where_asked_for_and_redacted() -> None:
    request = ChatRequest(messages=(Message("system", "be brief"), Message("user", SECRET)))
    (silent,) = spans("from ada@example.org", request)
    (told,) = spans("from ada@example.org", request, text=True)
    assert not any("message" in name for name in silent.attributes)
    assert json.loads(told.attributes["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "be brief"}
    ]
    assert json.loads(told.attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "[key]"}]}
    ]
    (answer,) = json.loads(told.attributes["gen_ai.output.messages"])
    assert answer["parts"] == [{"type": "text", "content": "from [email]"}]


@pytest.mark.parametrize("position", [0, 70, 90, 4_180])
def test_long_text_is_cut_and_no_part_of_a_key_stays(position: int) -> None:
    text = "x " * (position // 2) + SECRET + " y" * 5_000
    request = ChatRequest(messages=(Message("user", text),))
    (span,) = spans("hi", request, text=True, max_characters=100)
    (message,) = json.loads(span.attributes["gen_ai.input.messages"])
    content = message["parts"][0]["content"]
    assert content.endswith(f"... [cut, {len(text):,} characters]")
    assert len(content) < 140
    assert "sk-" not in content


def test_failed_call_is_a_failed_span() -> None:
    (span,) = spans(RequestRefused(f"bad {SECRET}"))
    assert span.attributes["error.type"] == "RequestRefused"
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "bad [key]")


def test_stream_tells_the_time_to_its_first_piece() -> None:
    (span,) = spans("one two", stream=True)
    assert span.attributes["gen_ai.request.stream"] is True
    assert span.attributes["gen_ai.response.time_to_first_chunk"] > 0


def test_span_lives_below_a_parent_that_is_not_sampled() -> None:
    from opentelemetry.context import attach, detach
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    parent = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(0))
    token = attach(set_span_in_context(NonRecordingSpan(parent)))
    try:
        (span,) = spans("hi")
    finally:
        detach(token)
    assert span.parent.trace_id == 1


def test_password_in_the_endpoint_is_refused_without_showing_it() -> None:
    with pytest.raises(ValidationError, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        TraceOptions(endpoint="http://ada:swordfish@127.0.0.1:4318/v1/traces")
    assert "swordfish" not in str(caught.value)


def test_spans_arrive_at_the_endpoint_when_the_client_closes() -> None:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.path.encode() + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}/v1/traces"
        hook = TraceHook(TraceOptions(endpoint=endpoint, service="twin"), Redactor())

        async def ask() -> None:
            async with scripted(hooks=[hook]) as client:
                await client.chat(REQUEST)

        asyncio.run(ask())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    (body,) = bodies
    assert body.startswith(b"/v1/traces")
    assert b"gen_ai.operation.name" in body
    assert b"twin" in body
