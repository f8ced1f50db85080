"""Stored calls: contents of a record, lost calls, and callers that never wait for the store."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from llm.clients import REQUEST, read, scripted
from moodswarm.llm.errors import RequestRefused
from moodswarm.llm.hooks.guard import GuardHook, GuardOptions
from moodswarm.llm.hooks.store import CallSink, StoreHook, StoreOptions
from moodswarm.llm.limits import Price
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage
from moodswarm.llm.providers.fake import Reply
from moodswarm.llm.redaction import Redactor
from moodswarm.records.calls import CALL_STATES, CallRecord

SECRET = "sk-abcdefghijklmnopqrstuvwx"
PRICE = Price(prompt_per_million=1_000.0, completion_per_million=1_000.0, currency="EUR")


class Sink(list[CallRecord]):
    def __call__(self, records: Sequence[CallRecord]) -> None:
        self.extend(records)


def hook_on(sink: CallSink, **options: Any) -> StoreHook:
    return StoreHook(StoreOptions(**options), sink, Redactor())


def stored(
    reply: Reply, request: ChatRequest = REQUEST, guard: GuardOptions | None = None, **options: Any
) -> CallRecord:
    """Return the record of one call, however it ended."""
    sink = Sink()
    hooks: list[Any] = [hook_on(sink, **options), *([GuardHook(guard)] if guard else [])]

    async def ask() -> None:
        async with scripted([reply], hooks, price=PRICE, profile="p") as client:
            await asyncio.gather(client.chat(request), return_exceptions=True)

    asyncio.run(ask())
    (record,) = sink
    assert record.state in CALL_STATES
    return record


def test_record_says_all_of_a_call_but_its_text() -> None:
    record = stored(ChatResponse(text="hi", usage=Usage(3, 2)))
    assert (record.profile, record.provider, record.model) == ("p", "fake", "fake")
    assert (record.task, record.template, record.state) == ("greet", "greet@1", "answered")
    assert (record.prompt_tokens, record.completion_tokens) == (3, 2)
    assert (record.cost, record.currency) == (0.005, "EUR")
    assert (record.attempts, record.error, record.prompt, record.answer) == (1, None, None, None)
    assert len(record.request_hash) == 64


def test_text_is_kept_redacted_where_asked_for() -> None:
    request = ChatRequest(messages=(Message("user", f"use {SECRET}"),))
    record = stored("from ada@example.org", request, text=True)
    assert (record.prompt, record.answer) == ("user: use [key]", "from [email]")


def test_failed_call_is_kept_with_its_error_redacted() -> None:
    record = stored(RequestRefused(f"bad {SECRET}"))
    assert (record.state, record.error, record.cost) == ("failed", "bad [key]", None)


def test_cut_off_answer_is_recorded() -> None:
    assert stored(ChatResponse(text="hi", finish="length")).state == "cut_off"


def test_refused_prompt_differs_from_a_withheld_answer() -> None:
    refused = stored("hi", guard=GuardOptions(refuse_prompts=("hello",)))
    withheld = stored("hi you", guard=GuardOptions(withhold_answers=("you",)), text=True)
    assert (refused.state, refused.attempts) == ("refused", 0)
    assert (withheld.state, withheld.attempts, withheld.answer) == ("failed", 1, "")
    assert withheld.cost


def test_stopped_stream_is_recorded() -> None:
    sink = Sink()

    async def leave() -> None:
        async with scripted(["one two"], [hook_on(sink)]) as client:
            deltas = client.stream(REQUEST)
            await anext(deltas)
            await deltas.aclose()

    asyncio.run(leave())
    assert [(record.state, record.error) for record in sink] == [("stopped", None)]


def test_all_calls_are_written_when_the_client_closes() -> None:
    sink = Sink()

    async def ask() -> None:
        async with scripted(hooks=[hook_on(sink)]) as client:
            for _ in range(1_200):
                await client.chat(REQUEST)
            await read(client)

    asyncio.run(ask())
    assert len({record.id for record in sink}) == 1_201


def test_caller_does_not_wait_for_a_slow_store_and_hears_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    release, sink = threading.Event(), Sink()

    def slow(records: Sequence[CallRecord]) -> None:
        release.wait(10)
        sink(records)

    hook = hook_on(slow, queue_size=2)

    async def ask() -> None:
        client = scripted(hooks=[hook])
        for _ in range(10):
            await client.chat(REQUEST)
        release.set()
        await client.close()

    asyncio.run(ask())
    assert hook.lost > 0
    assert len(sink) + hook.lost == 10
    assert "calls are not stored, because 2 are already waiting" in caplog.text
    assert f"{hook.lost} calls were not stored" in caplog.text


def test_store_that_fails_is_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    def broken(records: Sequence[CallRecord]) -> None:
        raise OSError(f"disk full {SECRET}")

    hook = hook_on(broken)

    async def ask() -> None:
        client = scripted(hooks=[hook])
        for _ in range(5):
            await client.chat(REQUEST)
            await asyncio.sleep(0.001)
        await client.close()

    asyncio.run(ask())
    assert hook.lost == 5
    assert caplog.text.count("OSError: disk full [key]") == 1


def test_store_that_hangs_is_given_up_when_closing(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    hook = hook_on(lambda records: release.wait(10) and None, flush_seconds=0.05)
    asyncio.run(scripted(hooks=[hook]).chat(REQUEST))
    hook.close()
    hook.close()
    release.set()
    assert "the store is too slow" in caplog.text
