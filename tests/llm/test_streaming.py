"""Streams: pieces, retries before the first one, readers that leave, endpoints that break off."""

import asyncio
import gc
from contextlib import aclosing
from typing import Any

import pytest

from llm.clients import REQUEST, NotingHook, client_on, on_endpoint, read, scripted
from llm.stub import stub
from llm.wire import Reply, chunk, wire
from moodswarm.llm.client import ChatClient, ClientOptions
from moodswarm.llm.errors import EndpointDown, EndpointOverloaded, RequestRefused
from moodswarm.llm.limits import Price, Timeouts
from moodswarm.llm.messages import ChatResponse, Delta, Usage
from moodswarm.llm.providers.endpoint import EndpointOptions
from moodswarm.llm.providers.fake import FakeProvider
from moodswarm.llm.providers.openai import OpenAIProvider
from moodswarm.llm.providers.provider import Transient

PRICE = Price(prompt_per_million=2.0, completion_per_million=10.0)


async def streamed(url: str, **profile: Any) -> list[Delta]:
    async with client_on(url, **profile) as client:
        return await read(client)


async def streamed_from(*replies: Reply) -> list[Delta]:
    async with wire(*replies) as endpoint:
        return await streamed(endpoint.address)


def test_pieces_make_the_text_and_the_last_carries_the_response() -> None:
    with stub() as server:
        *pieces, last = asyncio.run(streamed(server.base_url))
    assert last.response
    assert "".join(piece.text for piece in pieces) == last.response.text == '{"answer": "hello"}'
    assert (last.response.usage, last.response.finish) == (Usage(1, 2), "stop")


def test_halves_of_characters_in_an_answer_can_be_shown_and_stored() -> None:
    deltas = asyncio.run(read(scripted(["tea \ud83d \ud83d\ude00"])))
    assert "".join(delta.text for delta in deltas) == "tea \ufffd \U0001f600"
    response = deltas[-1].response
    assert response is not None
    assert response.text == "tea \ufffd \U0001f600"
    assert asyncio.run(scripted(["a \udc00"]).chat(REQUEST)).text == "a \ufffd"


def test_stream_has_a_cost() -> None:
    deltas = asyncio.run(read(scripted(["one two"], price=PRICE)))
    assert deltas[-1].response
    assert deltas[-1].response.cost == pytest.approx((1 * 2 + 2 * 10) / 1e6)


@pytest.mark.parametrize("fault", ["429", "500", "drop"])
def test_stream_is_tried_again_before_its_first_piece(fault: str) -> None:
    with stub(faults=[fault]) as server:
        deltas = asyncio.run(streamed(server.base_url))
    assert deltas[-1].response
    assert deltas[-1].response.attempts == 2


def test_stream_without_a_first_piece_in_time_is_tried_again() -> None:
    with stub(faults=["hang"]) as server:
        deltas = asyncio.run(streamed(server.base_url, timeout_seconds={"first_token": 0.3}))
    assert deltas[-1].response
    assert deltas[-1].response.attempts == 2


def test_stream_is_never_tried_again_after_its_first_piece() -> None:
    with (
        stub(faults=["drop later"]) as server,
        pytest.raises(EndpointDown, match="the answer broke off"),
    ):
        asyncio.run(streamed(server.base_url))
    assert server.counts.requests == 1


def test_stream_that_stalls_breaks_off() -> None:
    reply = Reply(events=[chunk("one")], hold=True)

    async def ask() -> None:
        async with wire(reply) as endpoint:
            await streamed(endpoint.address, timeout_seconds={"between_tokens": 0.1})

    with pytest.raises(EndpointDown, match=r"broke off.*no further token within 0.1 s"):
        asyncio.run(ask())


def test_stream_that_ends_without_a_reason_was_cut() -> None:
    with pytest.raises(EndpointDown, match="broke off.*ended before its answer"):
        asyncio.run(streamed_from(Reply(events=[chunk("one"), "[DONE]"])))


def test_stream_without_usage_is_an_answer_without_usage() -> None:
    deltas = asyncio.run(
        streamed_from(Reply(events=[chunk("one"), chunk(None, "length"), "[DONE]"]))
    )
    assert deltas[-1].response
    assert (deltas[-1].response.usage, deltas[-1].response.finish) == (Usage(None, None), "length")


@pytest.mark.parametrize(
    ("code", "error"),
    [(503, EndpointOverloaded), ("oops", EndpointOverloaded), (400, RequestRefused)],
)
def test_error_inside_a_stream_counts_like_its_status(code: Any, error: type[Exception]) -> None:
    event = {"error": {"message": "engine is sleepy", "code": code}}
    with pytest.raises(error, match="engine is sleepy"):
        asyncio.run(streamed_from(Reply(events=[event])))


def test_reader_that_leaves_closes_the_connection_and_is_recorded() -> None:
    async def ask() -> NotingHook:
        hook = NotingHook()
        async with (
            wire(Reply(events=[chunk("one")], hold=True)) as endpoint,
            on_endpoint(endpoint.address, [hook]) as client,
        ):
            async with aclosing(client.stream(REQUEST)) as deltas:
                assert await anext(deltas) == Delta("one")
            await asyncio.wait_for(endpoint.left.wait(), 5)
        return hook

    (call,) = asyncio.run(ask()).calls
    assert call.stopped
    assert call.response is None


def test_reader_that_forgets_to_close_still_closes_the_connection() -> None:
    async def ask() -> None:
        async with (
            wire(Reply(events=[chunk("one")], hold=True)) as endpoint,
            on_endpoint(endpoint.address) as client,
        ):
            async for _ in client.stream(REQUEST):
                break
            gc.collect()
            await asyncio.wait_for(endpoint.left.wait(), 5)

    asyncio.run(ask())


def test_cancelled_reader_closes_the_connection() -> None:
    async def ask() -> NotingHook:
        hook = NotingHook()
        async with (
            wire(Reply(events=[chunk("one")], hold=True)) as endpoint,
            on_endpoint(endpoint.address, [hook]) as client,
        ):
            task = asyncio.create_task(read(client))
            while not endpoint.asked:
                await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.wait_for(endpoint.left.wait(), 5)
        return hook

    assert [call.stopped for call in asyncio.run(ask()).calls] == [True]


def test_reader_that_stops_after_the_last_piece_has_the_whole_answer() -> None:
    async def ask() -> NotingHook:
        hook = NotingHook()
        async with aclosing(scripted(["one two"], [hook]).stream(REQUEST)) as deltas:
            async for delta in deltas:
                if delta.response:
                    break
        return hook

    (call,) = asyncio.run(ask()).calls
    assert not call.stopped
    assert call.response
    assert call.response.text == "one two"


def test_stream_holds_its_place_until_its_end() -> None:
    async def ask() -> list[int]:
        provider = FakeProvider(["one two", "three"])
        client = ChatClient(provider, ClientOptions(model="fake", concurrency=1))
        async with aclosing(client.stream(REQUEST)) as deltas:
            await anext(deltas)
            other = asyncio.create_task(client.chat(REQUEST))
            await asyncio.sleep(0.01)
            seen = [len(provider.requests)]
        await other
        return [*seen, len(provider.requests), provider.streams_closed]

    assert asyncio.run(ask()) == [1, 2, 1]


def test_time_to_the_first_piece_is_noted() -> None:
    hook = NotingHook()
    asyncio.run(read(scripted([Transient("busy"), "one two"], [hook])))
    (call,) = hook.calls
    assert call.first_token_milliseconds is not None
    assert 0 < call.first_token_milliseconds <= call.milliseconds


def test_model_that_thinks_is_not_late() -> None:
    class Thinker(FakeProvider):
        async def stream(self, request: Any) -> Any:
            for _ in range(4):
                await asyncio.sleep(0.2)
                yield Delta("")
            yield Delta("so", ChatResponse(text="so"))

    timeouts = Timeouts(first_token=0.6)
    client = ChatClient(Thinker(), ClientOptions(model="fake", timeouts=timeouts))
    (last,) = asyncio.run(read(client))
    assert last.response
    assert last.response.attempts == 1


def test_thinking_of_a_stream_is_a_sign_of_life() -> None:
    thought = {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}
    events = [thought, chunk("so"), chunk(None, "stop"), "[DONE]"]

    async def ask() -> list[str]:
        async with wire(Reply(events=events)) as endpoint:
            options = EndpointOptions(model="m", base_url=endpoint.address)
            return [delta.text async for delta in OpenAIProvider(options).stream(REQUEST)]

    assert asyncio.run(ask()) == ["", "so", "", ""]


def test_stream_of_a_provider_that_forgets_its_end_was_cut() -> None:
    class Forgetful(FakeProvider):
        async def stream(self, request: Any) -> Any:
            yield Delta("one")

    client = ChatClient(Forgetful(), ClientOptions(model="fake", timeouts=Timeouts()))
    with pytest.raises(EndpointDown, match="the stream ended too early"):
        asyncio.run(read(client))
