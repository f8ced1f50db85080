"""Programs that tests run in separate processes."""

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

from llm.chats import ASK
from moodswarm.llm.batch.batch import run_batch
from moodswarm.llm.batch.cache import Kept, TaskCache
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Usage


def key(number: int) -> str:
    """Return a key; all of these keys belong to the same file of the cache."""
    return "ab" + sha256(str(number).encode()).hexdigest()[2:]


def kept(number: int) -> Kept:
    return Kept(value={"n": number}, usage=Usage(3, None), cost=0.5, asks=2, task="t", template="a")


def put_many(folder: Path, start: int) -> None:
    cache = TaskCache(folder)
    for number in range(start, start + 200):
        cache.put(key(number), kept(number))


class PaidInto:
    """Answers every question except number 10, and notes each paid answer in a file."""

    model = "m"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def chat(self, request: ChatRequest) -> ChatResponse:
        text = request.messages[0].content
        await asyncio.sleep(3_600 if text == "10" else 0)
        with self._path.open("a") as lines:
            lines.write(f"{text}\n")
        return ChatResponse(text=json.dumps({"answer": text}))

    def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        raise NotImplementedError


def run_until_killed(folder: Path) -> None:
    """Run a batch of 20 items that hangs at number 10."""

    async def run() -> None:
        cache, chat = TaskCache(folder / "cache"), PaidInto(folder / "paid")
        items = ({"text": str(number)} for number in range(20))
        async for _ in run_batch(ASK, chat, items, concurrency=1, cache=cache):
            pass

    asyncio.run(run())
