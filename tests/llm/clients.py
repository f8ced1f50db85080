"""Clients for tests, with an endpoint or a scripted fake, and a hook that takes notes."""

import asyncio
from collections.abc import Iterable
from typing import Any

from moodswarm.llm.client import ChatClient, ClientOptions
from moodswarm.llm.hooks.hook import Call, Hook
from moodswarm.llm.limits import Retries
from moodswarm.llm.messages import ChatRequest, Delta, Message
from moodswarm.llm.profiles import LlmSettings, open_chat, read_settings
from moodswarm.llm.providers.endpoint import EndpointOptions
from moodswarm.llm.providers.fake import FakeProvider, Reply
from moodswarm.llm.providers.openai import OpenAIProvider

REQUEST = ChatRequest(messages=(Message("user", "hello"),), task="greet", template="greet@1")
AT_ONCE = {"first_wait_seconds": 0, "longest_wait_seconds": 0}


def settings(base_url: str = "http://127.0.0.1:9/v1", **profile: Any) -> LlmSettings:
    """Return settings with one profile `p` that does not wait between attempts."""
    values: dict[str, Any] = {
        "provider": "openai",
        "model": "stub-model",
        "base_url": base_url,
        "retries": {"attempts": 3, **AT_ONCE},
    }
    return read_settings({"profile": "p", "profiles": {"p": values | profile}})


def client_on(base_url: str, **profile: Any) -> ChatClient:
    """Open a client for an endpoint."""
    client = open_chat(settings(base_url, **profile))
    assert client
    return client


def on_endpoint(
    address: str, hooks: Iterable[Hook] = (), sleep: "Sleeps | None" = None, **options: Any
) -> ChatClient:
    """Open a client for an endpoint, with the test's own hooks and sleep."""
    provider = OpenAIProvider(EndpointOptions(model="stub-model", base_url=address))
    chosen = {"retries": Retries(attempts=3, first_wait_seconds=0)} | options
    client_options = ClientOptions(model="stub-model", address=address, **chosen)
    return ChatClient(
        provider, client_options, [*hooks], sleep=Sleeps() if sleep is None else sleep
    )


class Sleeps(list[float]):
    """Records how long it was asked to sleep, without sleeping."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


def scripted(
    replies: Iterable[Reply] | None = None,
    hooks: Iterable[Hook] = (),
    sleep: Sleeps | None = None,
    **options: Any,
) -> ChatClient:
    """Open a client for a fake with the given replies; its waits of 0 to 1 s take no real time."""
    chosen = {"model": "fake", "retries": Retries(attempts=3, first_wait_seconds=1)} | options
    client_options = ClientOptions(**chosen)
    return ChatClient(
        FakeProvider(replies),
        client_options,
        [*hooks],
        sleep=Sleeps() if sleep is None else sleep,
        draw=lambda: 0.5,
    )


async def read(client: ChatClient, request: ChatRequest = REQUEST) -> list[Delta]:
    """Read a stream to its end."""
    return [delta async for delta in client.stream(request)]


class NotingHook:
    """Records the calls that it sees, and fails when told to."""

    def __init__(
        self,
        name: str = "noting",
        notes: list[str] | None = None,
        *,
        before: Exception | None = None,
        after: Exception | None = None,
    ) -> None:
        self.name = name
        self.notes: list[str] = [] if notes is None else notes
        self.calls: list[Call] = []
        self._before, self._after = before, after

    def before(self, call: Call) -> None:
        self.notes.append(f"before {self.name}")
        if self._before:
            raise self._before

    def after(self, call: Call) -> None:
        self.notes.append(f"after {self.name}")
        self.calls.append(call)
        if self._after:
            raise self._after

    def close(self) -> None:
        self.notes.append(f"close {self.name}")
