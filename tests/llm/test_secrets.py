"""A key appears nowhere: not in logs, errors, records, spans or representations."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from llm.clients import REQUEST, client_on, read, settings
from llm.wire import Reply, chunk, refused, said, wire
from moodswarm.llm.client import ChatClient
from moodswarm.llm.errors import LlmError
from moodswarm.llm.hooks.log import LogHook
from moodswarm.llm.messages import ChatRequest, Message
from moodswarm.llm.profiles import open_chat
from moodswarm.records.calls import CallRecord

#: A key in a form that no pattern recognises, such as local servers use.
KEY = "correct-horse-battery-staple"
LEAKY = ChatRequest(messages=(Message("user", f"my key is {KEY}"),))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    monkeypatch.setenv("A_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger=LogHook.__module__)
    yield
    assert KEY not in caplog.text


def answered(
    *replies: Reply, request: ChatRequest = REQUEST, **profile: Any
) -> BaseException | None:
    """Return the error of a call, or else that of a stream; None if neither failed."""

    async def ask() -> BaseException | None:
        async with wire(*replies) as endpoint:
            hooks = profile.pop("hooks", ["log"])
            client = client_on(endpoint.address, key_variable="A_KEY", hooks=hooks, **profile)
            async with client:
                assert KEY not in repr([client, client.options, vars(client)])
                found = await asyncio.gather(
                    client.chat(request), read(client, request), return_exceptions=True
                )
            return next((one for one in found if isinstance(one, BaseException)), None)

    return asyncio.run(ask())


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_key_that_an_endpoint_repeats_is_in_no_error(provider: str, status: int) -> None:
    error = answered(refused(status, f"wrong key {KEY}"), provider=provider)
    assert isinstance(error, LlmError)
    assert "wrong key [key]" in str(error)
    assert KEY not in "".join(traceback.format_exception(error))


def test_key_in_a_long_message_is_not_left_half_by_shortening() -> None:
    error = answered(refused(400, "x" * 390 + f" {KEY} "))
    assert isinstance(error, LlmError)
    assert "correct" not in str(error)


def test_key_that_a_stream_repeats_is_in_no_error() -> None:
    events = [{"error": {"message": f"oh {KEY}", "code": 400}}]
    error = answered(Reply(events=events, headers={"Content-Type": "text/event-stream"}))
    assert error is not None
    assert KEY not in "".join(traceback.format_exception(error))


def test_key_in_prompt_and_answer_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    reply = said(f"your key is {KEY}")
    reply.body["usage"] = None
    answered(reply, request=LEAKY)
    assert "my key is [key]" in caplog.text
    assert "your key is [key]" in caplog.text


def test_key_in_prompt_and_answer_is_in_no_record() -> None:
    records: list[CallRecord] = []

    async def ask() -> None:
        async with wire(said(f"your key is {KEY}")) as endpoint:
            hooks = [{"name": "store", "text": True}]
            opened = settings(endpoint.address, key_variable="A_KEY", hooks=hooks)
            client = open_chat(opened, sink=records.extend)
            assert isinstance(client, ChatClient)
            async with client:
                await client.chat(LEAKY)

    asyncio.run(ask())
    (record,) = records
    assert (record.prompt, record.answer) == ("user: my key is [key]", "your key is [key]")
    assert KEY not in repr(record)


def test_broken_stream_does_not_show_the_key() -> None:
    error = answered(Reply(events=[chunk("a")]))
    assert error is not None
    assert KEY not in "".join(traceback.format_exception(error))
