"""Which requests are sent again, after how long, and which are not."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from llm.clients import REQUEST, Sleeps, client_on, on_endpoint, read, scripted
from llm.stub import stub
from llm.wire import Reply, refused, said, wire
from moodswarm.llm.errors import (
    EndpointDown,
    EndpointOverloaded,
    KeyRefused,
    QuotaSpent,
    RequestRefused,
)
from moodswarm.llm.limits import Retries, retry_after_seconds
from moodswarm.llm.messages import ChatResponse
from moodswarm.llm.providers.provider import Transient

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
#: Nothing listens here: port 9 is reserved for the "discard" protocol.
NOBODY = "http://127.0.0.1:9/v1"


async def once(url: str, **profile: Any) -> ChatResponse:
    async with client_on(url, **profile) as client:
        return await client.chat(REQUEST)


@pytest.mark.parametrize("fault", ["429", "500", "503", "drop", "drop later"])
def test_passing_failure_is_tried_again(fault: str) -> None:
    with stub(faults=[fault]) as server:
        response = asyncio.run(once(server.base_url))
    assert (response.attempts, server.counts.requests) == (2, 2)


def test_request_without_an_answer_in_time_is_tried_again() -> None:
    with stub(faults=["hang"]) as server:
        response = asyncio.run(once(server.base_url, timeout_seconds={"total": 0.3}))
    assert response.attempts == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RequestRefused),
        (402, QuotaSpent),
        (401, KeyRefused),
        (403, KeyRefused),
        (404, RequestRefused),
        (409, RequestRefused),
        (422, RequestRefused),
    ],
)
def test_refusal_is_not_tried_again(status: int, error: type[Exception]) -> None:
    async def ask() -> int:
        async with wire(refused(status, "no such thing")) as endpoint:
            with pytest.raises(error, match=f"{status}.*no such thing"):
                await once(endpoint.address)
            return len(endpoint.asked)

    assert asyncio.run(ask()) == 1


def test_spent_quota_is_not_tried_again() -> None:
    async def ask() -> int:
        reply = refused(429, "You exceeded your current quota", code="insufficient_quota")
        async with wire(reply) as endpoint:
            with pytest.raises(QuotaSpent, match="exceeded your current quota.*the account"):
                await once(endpoint.address)
            return len(endpoint.asked)

    assert asyncio.run(ask()) == 1


@pytest.mark.parametrize("fault", ["429", "500"])
def test_endpoint_that_stays_overloaded_is_named_after_all_attempts(fault: str) -> None:
    with (
        stub(rates={fault: 1.0}) as server,
        pytest.raises(EndpointOverloaded, match=rf"127.*\({fault}\).*3 times.*lower `concurrency`"),
    ):
        asyncio.run(once(server.base_url))
    assert server.counts.requests == 3


def test_address_where_nobody_listens_is_named_with_what_to_start() -> None:
    with pytest.raises(EndpointDown, match=r"127\.0\.0\.1:9/v1.*3 times.*llama-server"):
        asyncio.run(once(NOBODY))


def test_endpoint_that_never_answers_is_named_with_the_time() -> None:
    profile = {"timeout_seconds": {"total": 0.1}, "retries": {"attempts": 1}}
    named = r"within 0.1 s\. Raise `timeout_seconds`"
    with stub(rates={"hang": 1.0}) as server, pytest.raises(EndpointDown, match=named):
        asyncio.run(once(server.base_url, **profile))


def waits(*failures: Transient) -> list[float]:
    """Return the waits of a call that meets these failures; the random draw is always 0.5."""
    sleeps = Sleeps()
    asyncio.run(scripted([*failures, "done"], sleep=sleeps).chat(REQUEST))
    return sleeps


def test_wait_doubles() -> None:
    assert waits(Transient("a"), Transient("b")) == [0.5, 1.0]


def test_retry_after_is_honoured_with_a_random_part_on_top() -> None:
    assert waits(Transient("a", status=429, retry_after=7.0)) == [7.5]


def test_wait_is_bounded_whatever_the_endpoint_asks_for() -> None:
    assert waits(Transient("a", status=429, retry_after=3_600.0)) == [30.0]


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 0.0), (0.999, 3.996)])
def test_jitter_is_full(draw: float, seconds: float) -> None:
    retries = Retries(first_wait_seconds=1, longest_wait_seconds=100)
    assert retries.wait_seconds(3, draw=lambda: draw) == pytest.approx(seconds)


def test_retry_after_of_an_endpoint_reaches_the_wait() -> None:
    async def ask() -> Sleeps:
        sleeps = Sleeps()
        reply = refused(429, "slow down", headers={"Retry-After": "7"})
        async with (
            wire(reply, said()) as endpoint,
            on_endpoint(endpoint.address, sleep=sleeps) as client,
        ):
            await client.chat(REQUEST)
        return sleeps

    assert asyncio.run(ask()) == [7.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("Tue, 01 Jan 2030 12:00:09 GMT", 9.0),
        ("Tue, 01 Jan 2030 11:00:00 GMT", 0.0),
        ("Tue, 01 Jan 2030 12:00:09 -0000", 9.0),
        ("Tue, 01 Jan 2030 12:00:09 +99999999999999", None),
        ("Tue, 01 Jan 99999999999999 12:00:09 GMT", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@pytest.mark.parametrize("stream", [False, True])
def test_closing_ends_what_is_in_flight_without_another_try(stream: bool) -> None:
    async def ask() -> None:
        with stub(rates={"hang": 1.0}) as server:
            client = client_on(server.base_url)
            call = asyncio.create_task(
                read(client) if stream else client.chat(REQUEST)  # type: ignore[arg-type]
            )
            while not server.counts.met:
                await asyncio.sleep(0.01)
            await client.close()
            with pytest.raises(EndpointDown, match="was closed before its answer came"):
                await asyncio.wait_for(call, 10)

    asyncio.run(ask())


def test_redirect_is_not_followed() -> None:
    async def ask() -> int:
        async with wire(said()) as other:
            reply = Reply(status=307, headers={"Location": f"{other.address}/chat/completions"})
            async with wire(reply) as endpoint:
                with pytest.raises(RequestRefused, match="redirects.*base_url"):
                    await once(endpoint.address)
            return len(other.asked)

    assert asyncio.run(ask()) == 0
