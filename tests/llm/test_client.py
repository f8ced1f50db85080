"""The client: defaults, places, cost, event loops, cancellation."""

import asyncio
from typing import Any

import pytest

from llm.clients import REQUEST, NotingHook, client_on, on_endpoint, scripted
from llm.stub import stub
from moodswarm.llm.client import ChatClient, ClientOptions
from moodswarm.llm.errors import RequestRefused
from moodswarm.llm.limits import Price
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage
from moodswarm.llm.providers.fake import FakeProvider
from moodswarm.llm.providers.provider import Transient

PRICE = Price(prompt_per_million=2.0, completion_per_million=10.0)


def test_answer_comes_with_model_usage_and_attempts() -> None:
    async def ask(url: str) -> ChatResponse:
        async with client_on(url) as client:
            return await client.chat(REQUEST)

    with stub() as server:
        response = asyncio.run(ask(server.base_url))
    assert response == ChatResponse(
        text='{"answer": "hello"}', usage=Usage(1, 2), model="stub-model", attempts=1
    )


def test_profile_fills_in_what_the_request_leaves_open() -> None:
    hook = NotingHook()
    client = scripted(hooks=[hook], max_tokens=7, temperature=0.5)
    asyncio.run(client.chat(REQUEST))
    assert (hook.calls[0].request.max_tokens, hook.calls[0].request.temperature) == (7, 0.5)


def test_request_overrules_the_profile() -> None:
    hook = NotingHook()
    client = scripted(hooks=[hook], max_tokens=7, temperature=0.5)
    request = ChatRequest(messages=REQUEST.messages, max_tokens=3, temperature=0.0)
    asyncio.run(client.chat(request))
    assert (hook.calls[0].request.max_tokens, hook.calls[0].request.temperature) == (3, 0.0)


def test_cost_is_tokens_times_price() -> None:
    reply = ChatResponse(text="x", usage=Usage(1_000, 500))
    response = asyncio.run(scripted([reply], price=PRICE).chat(REQUEST))
    assert response.cost == pytest.approx(0.007)


@pytest.mark.parametrize(("usage", "price"), [(Usage(None, 5), PRICE), (Usage(5, 5), None)])
def test_cost_is_unknown_without_tokens_or_price(usage: Usage, price: Price | None) -> None:
    reply = ChatResponse(text="x", usage=usage)
    assert asyncio.run(scripted([reply], price=price).chat(REQUEST)).cost is None


def test_never_more_requests_at_once_than_the_profile_allows() -> None:
    async def ask_many(url: str) -> None:
        async with client_on(url, concurrency=3) as client:
            await asyncio.gather(*(client.chat(REQUEST) for _ in range(20)))

    with stub(seconds=0.01) as server:
        asyncio.run(ask_many(server.base_url))
    assert server.counts.most_at_once == 3
    assert server.counts.requests == 20


def test_place_is_free_while_a_call_waits_for_its_next_attempt() -> None:
    async def ask() -> str:
        waiting, go_on = asyncio.Event(), asyncio.Event()

        async def sleep(seconds: float) -> None:
            waiting.set()
            await go_on.wait()

        provider = FakeProvider([Transient("busy", status=429), "second", "first"])
        client = ChatClient(provider, ClientOptions(model="fake", concurrency=1), sleep=sleep)
        first = asyncio.create_task(client.chat(REQUEST))
        await waiting.wait()
        second = await client.chat(REQUEST)
        go_on.set()
        return f"{second.text} {(await first).text}"

    assert asyncio.run(ask()) == "second first"


def test_another_event_loop_is_refused() -> None:
    client = scripted()
    asyncio.run(client.chat(REQUEST))
    with pytest.raises(RuntimeError, match="belongs to another event loop.*BlockingChat"):
        asyncio.run(client.chat(REQUEST))


def test_closed_client_is_refused_and_closes_twice() -> None:
    async def ask() -> None:
        async with scripted() as client:
            await client.chat(REQUEST)
        await client.close()
        with pytest.raises(RuntimeError, match="is closed"):
            await client.chat(REQUEST)

    asyncio.run(ask())


def test_closing_closes_provider_and_hooks() -> None:
    provider, hook = FakeProvider(), NotingHook()
    asyncio.run(ChatClient(provider, ClientOptions(model="fake"), [hook]).close())
    assert provider.closed
    assert hook.notes == ["close noting"]


def test_cancelled_call_stops_the_request_and_is_recorded_as_stopped() -> None:
    async def ask(url: str) -> Any:
        hook = NotingHook()
        async with on_endpoint(url, [hook]) as client:
            task = asyncio.create_task(client.chat(REQUEST))
            while not server.counts.requests:
                await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return hook.calls

    with stub(faults=["hang"]) as server:
        (call,) = asyncio.run(ask(server.base_url))
    assert call.stopped
    assert call.response is None


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ((), "no message"),
        ((Message("user", "a"), Message("system", "b")), "system message that is not the first"),
    ],
)
def test_request_of_another_shape_is_refused(messages: Any, message: str) -> None:
    with pytest.raises(RequestRefused, match=message):
        asyncio.run(scripted().chat(ChatRequest(messages=messages)))


def test_no_place_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="concurrency is 0"):
        scripted(concurrency=0)
