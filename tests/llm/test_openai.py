"""The wire format of OpenAI-compatible endpoints, and tolerance for unusual ones."""

import asyncio
import base64
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from llm.clients import REQUEST, client_on, on_endpoint, read
from llm.wire import Asked, Reply, chunk, refused, said, wire
from moodswarm.llm.errors import EndpointOverloaded, KeyRefused, RequestRefused
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage

FULL = ChatRequest(
    messages=(Message("system", "be brief"), Message("user", "hello")),
    max_tokens=5,
    temperature=0.5,
    seed=7,
    stop=("END",),
    json_schema={"type": "object"},
)
STREAMED = Reply(events=[chunk("a"), chunk(None, "stop"), "[DONE]"])


def asked(
    *replies: Reply, request: ChatRequest = FULL, times: int = 1, **profile: Any
) -> list[Asked]:
    """Return the requests that were sent for one request without a stream."""

    async def ask() -> Sequence[Asked]:
        async with wire(*replies) as endpoint, client_on(endpoint.address, **profile) as client:
            for _ in range(times):
                await client.chat(request)
            return endpoint.asked

    return list(asyncio.run(ask()))


def answer(reply: Reply) -> ChatResponse:
    async def ask() -> ChatResponse:
        async with wire(reply) as endpoint, client_on(endpoint.address) as client:
            return await client.chat(REQUEST)

    return asyncio.run(ask())


def test_request_is_sent_as_openai_wants_it() -> None:
    (sent,) = asked(said())
    assert sent.path == "/chat/completions"
    assert sent.body == {
        "model": "stub-model",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hello"},
        ],
        "max_tokens": 5,
        "temperature": 0.5,
        "seed": 7,
        "stop": ["END"],
    }


def test_json_schema_is_sent_where_the_profile_says_structured() -> None:
    (sent,) = asked(said(), structured=True)
    schema = {"name": "answer", "schema": {"type": "object"}}
    assert sent.body["response_format"] == {"type": "json_schema", "json_schema": schema}


def test_key_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-of-the-environment")
    (sent,) = asked(said(), key_variable="A_KEY")
    assert sent.headers["authorization"] == "Bearer sk-of-the-environment"


def test_no_key_is_sent_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    (sent,) = asked(said())
    assert "authorization" not in sent.headers


def test_password_in_the_address_is_sent_and_never_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def ask() -> Asked:
        async with wire(said()) as endpoint:
            address = endpoint.address.replace("://", "://ada:pass%20word@")
            async with client_on(address, hooks=["log"]) as client:
                await client.chat(REQUEST)
            return endpoint.asked[0]

    pair = asyncio.run(ask()).headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(pair) == b"ada:pass word"
    assert caplog.text
    assert "pass%20word" not in caplog.text
    assert pair not in caplog.text


def test_password_in_the_address_is_not_in_errors() -> None:
    async def ask() -> None:
        async with client_on("http://ada:swordfish@127.0.0.1:9/v1") as client:
            await client.chat(REQUEST)

    with pytest.raises(Exception, match=r"http://127\.0\.0\.1:9/v1") as caught:
        asyncio.run(ask())
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize(
    ("finish", "expected"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter")],
)
def test_finish_is_reported(finish: str, expected: str) -> None:
    assert answer(said("x", finish)).finish == expected


def test_refusal_of_a_model_counts_as_withheld() -> None:
    reply = said()
    reply.body["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "no"}
    assert (answer(reply).text, answer(reply).finish) == ("no", "content_filter")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body="<html>a web page</html>"),
        Reply(body={"status": "fine"}),
        Reply(body={"choices": []}),
        Reply(body={"choices": ["hello"]}),
        Reply(body={"choices": {"0": "hello"}}),
        Reply(body={"choices": [{"message": {"content": {"text": "hello"}}}]}),
        Reply(body="not json", headers={"Content-Type": "application/json"}),
    ],
)
def test_address_of_something_else_is_reported(reply: Reply) -> None:
    with pytest.raises(RequestRefused, match="not as a chat endpoint does.*base_url"):
        answer(reply)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(events=["{not json"]),
        Reply(events=["[1, 2]"]),
        Reply(events=[{"choices": ["hello"]}]),
        Reply(body="<html>a web page</html>"),
        Reply(body={"status": "fine"}),
    ],
)
def test_stream_of_something_else_is_reported(reply: Reply) -> None:
    async def ask() -> None:
        async with (
            wire(reply) as endpoint,
            client_on(endpoint.address) as client,
        ):
            await read(client)

    with pytest.raises(RequestRefused, match="not as a chat endpoint does"):
        asyncio.run(ask())


def test_content_in_parts_is_put_together_without_its_thinking() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}]
    reply = said()
    reply.body["choices"][0]["message"]["content"] = [*parts, {"type": "text", "text": "b"}]
    assert answer(reply).text == "ab"


@pytest.mark.parametrize(
    "usage", [{}, "none", {"prompt_tokens": "5"}, {"prompt_tokens": -5, "completion_tokens": 0.5}]
)
def test_tokens_that_are_no_count_are_not_known(usage: Any) -> None:
    reply = said()
    reply.body["usage"] = usage
    assert answer(reply).usage == Usage(None, None)


@pytest.mark.parametrize(("code", "error"), [(503, EndpointOverloaded), ("400", RequestRefused)])
def test_error_in_place_of_an_answer_counts_like_its_status(
    code: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="out of memory"):
        answer(Reply(body={"error": {"message": "out of memory", "code": code}}))


def test_half_a_character_in_a_prompt_does_not_fail() -> None:
    (sent,) = asked(said(), request=ChatRequest(messages=(Message("user", "tea \ud83d"),)))
    assert sent.body["messages"][0]["content"] == "tea \ufffd"


def test_unknown_model_is_reported_in_the_endpoints_words() -> None:
    with pytest.raises(RequestRefused, match="the model m does not exist.*`model`"):
        answer(refused(404, "the model m does not exist"))


@pytest.mark.parametrize(
    ("body", "said_so"),
    [
        ({"detail": "too long"}, "too long"),
        ({"detail": [{"loc": ["body"], "msg": "bad"}]}, "bad"),
        ({"error": "plain words"}, "plain words"),
        ({"message": "of vLLM"}, "of vLLM"),
    ],
)
def test_words_of_a_refusal_are_found_wherever_they_stand(body: Any, said_so: str) -> None:
    with pytest.raises(RequestRefused, match=said_so):
        answer(Reply(status=400, body=body))


def test_long_refusal_is_shortened() -> None:
    with pytest.raises(RequestRefused) as caught:
        answer(refused(400, "word " * 5_000))
    assert len(str(caught.value)) < 600


def test_refused_key_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-wrong-and-long-enough")
    reply = refused(401, "Incorrect API key provided: sk-wrong-and-long-enough")
    with pytest.raises(KeyRefused, match=r"Incorrect.*\[key\].*variable A_KEY"):
        asked(reply, key_variable="A_KEY")


def test_endpoint_that_needs_a_key_is_reported() -> None:
    with pytest.raises(KeyRefused, match="`key_variable`"):
        answer(refused(401, "who are you"))


@pytest.mark.parametrize(
    ("parameter", "complaint"),
    [
        ("temperature", "Unsupported value: 'temperature' does not support 0.5 with this model."),
        ("seed", "Unexpected fields in the request: {'seed'}"),
        ("response_format", "response_format: Extra inputs are not permitted"),
    ],
)
def test_parameter_that_an_endpoint_refuses_is_left_out_from_then_on(
    parameter: str, complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    sent = asked(refused(400, complaint), said(), times=2, structured=True)
    assert [parameter in one.body for one in sent] == [True, False, False]
    assert f"does not accept '{parameter}'" in caplog.text


NO_SYSTEM = (
    refused(400, "System role not supported"),
    refused(500, "Jinja Exception: System role not supported"),
    refused(400, "Conversation roles must alternate user/assistant/user/assistant/..."),
    refused(400, "Unsupported value: 'messages[0].role' does not support 'system' here."),
    refused(400, "Developer instruction is not enabled for models/m"),
    Reply(body={"error": {"message": "system messages are not supported", "code": 400}}),
)


@pytest.mark.parametrize("reply", NO_SYSTEM)
def test_the_system_message_goes_to_the_user_where_a_model_has_no_such_role(reply: Reply) -> None:
    sent = asked(reply, said(), times=2, retries={"attempts": 1})
    roles = [[message["role"] for message in one.body["messages"]] for one in sent]
    assert roles == [["system", "user"], ["user"], ["user"]]
    assert sent[1].body["messages"][0]["content"] == "be brief\n\nhello"
    assert sent[1].body == {**sent[0].body, "messages": sent[1].body["messages"]}


@pytest.mark.parametrize(
    "reply",
    [
        *NO_SYSTEM[:2],
        Reply(events=[{"error": {"message": "System role not supported", "code": 400}}]),
    ],
)
def test_a_stream_does_without_the_system_role_too(reply: Reply) -> None:
    async def ask() -> list[list[str]]:
        async with (
            wire(reply, STREAMED) as endpoint,
            client_on(endpoint.address, retries={"attempts": 1}) as client,
        ):
            assert (await read(client, FULL))[0].text == "a"
            return [[each["role"] for each in one.body["messages"]] for one in endpoint.asked]

    assert asyncio.run(ask()) == [["system", "user"], ["user"]]


@pytest.mark.parametrize(
    "complaint", ["the system is overloaded", "system message is too long", "invalid messages"]
)
def test_another_complaint_leaves_the_system_message_where_it_is(complaint: str) -> None:
    with pytest.raises(RequestRefused, match=complaint):
        asked(refused(400, complaint))


def test_limit_is_sent_under_its_new_name_where_the_old_is_refused() -> None:
    complaint = "Unsupported parameter: 'max_tokens' is not supported with this model."
    first, second = asked(refused(400, complaint), said())
    assert (first.body["max_tokens"], second.body["max_completion_tokens"]) == (5, 5)
    assert "max_tokens" not in second.body


def test_other_refusal_that_names_a_parameter_is_final() -> None:
    with pytest.raises(RequestRefused, match="max_tokens is too large"):
        asked(refused(400, "max_tokens is too large: 5"))


def test_endpoint_without_stream_options_is_tolerated() -> None:
    async def ask() -> list[bool]:
        complaint = "unknown field stream_options"
        async with (
            wire(refused(422, complaint), STREAMED) as endpoint,
            on_endpoint(endpoint.address) as client,
        ):
            await read(client)
            await read(client)
        return ["stream_options" in one.body for one in endpoint.asked]

    assert asyncio.run(ask()) == [True, False, False]
