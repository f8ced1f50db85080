"""Hooks: their order, what happens when one fails, and the line in the log."""

import asyncio
import logging
from contextlib import aclosing

import pytest

from llm.clients import REQUEST, NotingHook, read, scripted
from moodswarm.llm.errors import GuardRefused, RequestRefused
from moodswarm.llm.hooks.hook import Call
from moodswarm.llm.hooks.log import LogHook, LogOptions
from moodswarm.llm.limits import Price
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage
from moodswarm.llm.redaction import Redactor

SECRET = "sk-abcdefghijklmnopqrstuvwx"


def test_hooks_run_in_order_before_and_backwards_after() -> None:
    notes: list[str] = []
    hooks = [NotingHook("a", notes), NotingHook("b", notes)]
    asyncio.run(scripted(hooks=hooks).chat(REQUEST))
    assert notes == ["before a", "before b", "after b", "after a"]


def test_hooks_run_in_the_same_order_around_a_stream() -> None:
    notes: list[str] = []
    hooks = [NotingHook("a", notes), NotingHook("b", notes)]
    asyncio.run(read(scripted(hooks=hooks)))
    assert notes == ["before a", "before b", "after b", "after a"]


def test_call_is_complete_when_after_sees_it() -> None:
    hook = NotingHook()
    response = asyncio.run(scripted(["hi"], [hook], profile="p").chat(REQUEST))
    (call,) = hook.calls
    assert (call.response, call.error, call.stopped, call.attempts) == (response, None, False, 1)
    assert (call.profile, call.provider, call.model, call.request.task) == (
        *("p", "fake", "fake", "greet"),
    )
    assert call.milliseconds > 0


def test_hook_that_fails_before_is_left_out_and_the_call_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes: list[str] = []
    hooks = [NotingHook("a", notes, before=OSError("disk full")), NotingHook("b", notes)]
    response = asyncio.run(scripted(["hi"], hooks).chat(REQUEST))
    assert response.text == "hi"
    assert notes == ["before a", "before b", "after b"]
    assert "hook a failed in `before`, OSError: disk full" in caplog.text


def test_hook_that_fails_after_does_not_keep_the_others_from_running() -> None:
    notes: list[str] = []
    hooks = [NotingHook("a", notes), NotingHook("b", notes, after=KeyError("b"))]
    assert asyncio.run(scripted(["hi"], hooks).chat(REQUEST)).text == "hi"
    assert notes[-2:] == ["after b", "after a"]


def test_failing_hook_is_logged_once_per_kind(caplog: pytest.LogCaptureFixture) -> None:
    client = scripted(hooks=[NotingHook("a", after=OSError("again"))])

    async def ask() -> None:
        for _ in range(3):
            await client.chat(REQUEST)

    asyncio.run(ask())
    assert caplog.text.count("hook a failed") == 1


def test_failing_hook_does_not_log_a_key(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(scripted(hooks=[NotingHook(before=OSError(SECRET))]).chat(REQUEST))
    assert "failed in `before`" in caplog.text
    assert SECRET not in caplog.text


def test_failing_close_does_not_keep_the_others_from_closing() -> None:
    class Stuck(NotingHook):
        def close(self) -> None:
            raise OSError("stuck")

    last = NotingHook()
    asyncio.run(scripted(hooks=[Stuck(), last]).close())
    assert last.notes == ["close noting"]


def test_after_runs_for_a_call_that_failed() -> None:
    hook = NotingHook()
    with pytest.raises(RequestRefused, match="no"):
        asyncio.run(scripted([RequestRefused("no")], [hook]).chat(REQUEST))
    (call,) = hook.calls
    assert isinstance(call.error, RequestRefused)
    assert call.response is None


def test_guard_stops_a_call_and_later_hooks_do_not_see_it() -> None:
    notes: list[str] = []
    guard = NotingHook("guard", notes, before=GuardRefused("not this"))
    hooks = [NotingHook("a", notes), guard, NotingHook("b", notes)]
    with pytest.raises(GuardRefused, match="not this"):
        asyncio.run(scripted([], hooks).chat(REQUEST))
    assert notes == ["before a", "before guard", "after a"]


@pytest.mark.parametrize("stream", [False, True])
def test_withheld_answer_reaches_no_earlier_hook_but_its_tokens_do(stream: bool) -> None:
    log = NotingHook("log")
    client = scripted(["the secret"], [log, NotingHook("guard", after=GuardRefused("withheld"))])
    with pytest.raises(GuardRefused, match="withheld"):
        asyncio.run(read(client) if stream else client.chat(REQUEST))  # type: ignore[arg-type]
    (call,) = log.calls
    assert isinstance(call.error, GuardRefused)
    assert call.response
    assert (call.response.text, call.response.usage) == ("", Usage(1, 2))


def logged(caplog: pytest.LogCaptureFixture, level: int, call: Call, text: bool = True) -> str:
    caplog.set_level(level, logger=LogHook.__module__)
    hook = LogHook(LogOptions(text=text), Redactor())
    hook.before(call)
    hook.after(call)
    hook.close()
    return "\n".join(record.getMessage() for record in caplog.records)


def one_call(prompt: str = "hello") -> Call:
    hook = NotingHook()
    request = ChatRequest(messages=(Message("user", prompt),), task="greet")
    price = Price(prompt_per_million=1_000.0, completion_per_million=1_000.0)
    answer = ChatResponse(text=f"{prompt} to you", usage=Usage(3, 2))
    asyncio.run(scripted([answer], [hook], price=price).chat(request))
    return hook.calls[0]


def test_log_has_one_line_with_task_model_tokens_cost_and_attempts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = logged(caplog, logging.INFO, one_call())
    for part in ("greet of fake", "answered", "3 + 2 tokens", "0.005000 USD", "1 attempt"):
        assert part in line
    assert "hello" not in line
    assert "\n" not in line


def test_log_shows_texts_only_at_debug_and_redacted(caplog: pytest.LogCaptureFixture) -> None:
    lines = logged(caplog, logging.DEBUG, one_call(f"my key is {SECRET}"))
    assert "my key is [key]" in lines
    assert "my key is [key] to you" in lines
    assert SECRET not in lines


def test_log_without_text_shows_none_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    assert "hello" not in logged(caplog, logging.DEBUG, one_call(), text=False)


def test_log_tells_failures_redacted(caplog: pytest.LogCaptureFixture) -> None:
    call = one_call()
    call.response, call.error = None, RequestRefused(f"bad {SECRET}")
    assert "RequestRefused (bad [key]), no tokens" in logged(caplog, logging.INFO, call)


def test_log_tells_a_reader_that_left(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=LogHook.__module__)

    async def leave() -> None:
        client = scripted(["one two"], [LogHook(LogOptions(), Redactor())])
        async with aclosing(client.stream(REQUEST)) as deltas:
            await anext(deltas)

    asyncio.run(leave())
    assert "stopped by the reader" in caplog.text
