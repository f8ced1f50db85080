"""The wire format of Anthropic's messages."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from llm.clients import REQUEST, client_on, read
from llm.wire import Asked, Reply, wire
from moodswarm.llm.errors import EndpointDown, EndpointOverloaded, KeyRefused, RequestRefused
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Message, Usage

pytest.importorskip("anthropic")
KEY = "sk-ant-wrong-and-long-enough"
FULL = ChatRequest(
    messages=(
        Message("system", "be brief"),
        Message("user", "hello"),
        Message("assistant", "yes?"),
        Message("user", "go on"),
    ),
    max_tokens=5,
    temperature=0.5,
    seed=7,
    stop=("END",),
    json_schema={"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
)


def message(text: str = "hello", reason: str = "end_turn") -> Reply:
    content = [{"type": "thinking", "thinking": "hm", "signature": "x"}]
    whole = {"id": "1", "type": "message", "role": "assistant", "model": "c-1"}
    usage = {"input_tokens": 3, "output_tokens": 1}
    content.append({"type": "text", "text": text})
    return Reply(body={**whole, "content": content, "stop_reason": reason, "usage": usage})


def refused(status: int, text: str, kind: str = "invalid_request_error") -> Reply:
    return Reply(status=status, body={"type": "error", "error": {"type": kind, "message": text}})


def events(*pieces: str, reason: str | None = "end_turn") -> list[Any]:
    start = message().body | {"content": [], "stop_reason": None}
    sent: list[Any] = [("message_start", {"type": "message_start", "message": start})]
    for piece in pieces:
        delta = {"type": "text_delta", "text": piece}
        event = {"type": "content_block_delta", "index": 0, "delta": delta}
        sent.append(("content_block_delta", event))
    if reason:
        end = {"delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}
        sent.append(("message_delta", {"type": "message_delta", **end}))
        sent.append(("message_stop", {"type": "message_stop"}))
    return sent


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", KEY)


PROFILE = {"provider": "anthropic", "key_variable": "A_KEY", "model": "c"}


def asked(*replies: Reply, request: ChatRequest = FULL, **profile: Any) -> list[Asked]:
    async def ask() -> Sequence[Asked]:
        async with wire(*replies) as endpoint:
            async with client_on(endpoint.address, **PROFILE | profile) as client:
                await client.chat(request)
            return endpoint.asked

    return list(asyncio.run(ask()))


def answer(*replies: Reply) -> ChatResponse:
    async def ask() -> ChatResponse:
        async with wire(*replies) as endpoint, client_on(endpoint.address, **PROFILE) as client:
            return await client.chat(REQUEST)

    return asyncio.run(ask())


def streamed(*replies: Reply) -> list[Delta]:
    async def ask() -> list[Delta]:
        async with wire(*replies) as endpoint, client_on(endpoint.address, **PROFILE) as client:
            return await read(client)

    return asyncio.run(ask())


def test_system_message_goes_apart_and_a_seed_is_left_out() -> None:
    (sent,) = asked(message())
    assert sent.path == "/v1/messages"
    assert sent.body == {
        "model": "c",
        "system": "be brief",
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "yes?"},
            {"role": "user", "content": "go on"},
        ],
        "max_tokens": 5,
        "temperature": 0.5,
        "stop_sequences": ["END"],
    }


def test_key_is_sent() -> None:
    (sent,) = asked(message())
    assert KEY in (sent.headers.get("authorization", "") + sent.headers.get("x-api-key", ""))


def test_json_schema_is_sent_closed_where_the_profile_says_structured() -> None:
    (sent,) = asked(message(), structured=True)
    schema = sent.body["output_config"]["format"]["schema"]
    assert (schema["required"], schema["additionalProperties"]) == (["a"], False)


def test_temperature_that_the_model_refuses_is_left_out() -> None:
    first, second = asked(refused(400, "`temperature` is deprecated for this model."), message())
    assert ("temperature" in first.body, "temperature" in second.body) == (True, False)


def test_text_blocks_make_the_answer() -> None:
    response = answer(message("hi"))
    assert (response.text, response.usage, response.model) == ("hi", Usage(3, 1), "c-1")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
    ],
)
def test_finish_is_reported(reason: str, finish: str) -> None:
    assert answer(message("x", reason)).finish == finish


def test_stream_comes_in_pieces_with_usage_at_the_end() -> None:
    *pieces, last = streamed(Reply(events=events("he", "llo")))
    assert [piece.text for piece in pieces] == ["he", "llo"]
    assert last.response
    assert (last.response.text, last.response.usage) == ("hello", Usage(3, 2))


def test_address_may_end_in_v1() -> None:
    async def ask() -> list[Asked]:
        async with wire(message()) as endpoint:
            async with client_on(f"{endpoint.address}/v1/", **PROFILE) as client:
                await client.chat(REQUEST)
            return list(endpoint.asked)

    assert [sent.path for sent in asyncio.run(ask())] == ["/v1/messages"]


def test_event_of_another_shape_is_reported() -> None:
    sent = Reply(events=[("message_start", {"type": "message_start", "message": "hello"})])
    with pytest.raises(RequestRefused, match="not as a chat endpoint does"):
        streamed(sent)


def test_cut_stream_breaks_off() -> None:
    with pytest.raises(EndpointDown, match="broke off.*ended before its answer"):
        streamed(Reply(events=events("he", reason=None)))


def test_overload_is_tried_again() -> None:
    assert answer(refused(529, "Overloaded", "overloaded_error"), message()).attempts == 2


def test_overload_inside_a_stream_is_tried_again() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    overloaded = Reply(events=[("error", error)])
    deltas = streamed(overloaded, Reply(events=events("hi")))
    assert deltas[-1].response
    assert deltas[-1].response.attempts == 2
    with pytest.raises(EndpointOverloaded, match="Overloaded"):
        streamed(overloaded)


def test_refused_key_names_its_variable_and_not_itself() -> None:
    with pytest.raises(KeyRefused, match=r"\[key\] is not valid.*variable A_KEY"):
        answer(refused(401, f"{KEY} is not valid", "authentication_error"))


def test_refused_request_has_the_endpoints_words() -> None:
    with pytest.raises(RequestRefused, match="prompt is too long"):
        answer(refused(400, "prompt is too long"))


def test_address_of_something_else_is_reported() -> None:
    with pytest.raises(RequestRefused, match="not as a chat endpoint does"):
        answer(Reply(body="<html>a web page</html>"))
