"""The client in ordinary threads: answers, streams, time limits, closing, and interpreter exit."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from llm.clients import REQUEST, NotingHook, client_on, scripted
from llm.stub import stub
from moodswarm.llm.blocking import BlockingChat
from moodswarm.llm.client import ChatClient, ClientOptions
from moodswarm.llm.errors import EndpointDown, RequestRefused
from moodswarm.llm.messages import ChatRequest, Delta
from moodswarm.llm.providers.fake import FakeProvider


def slow(seconds: float = 10.0) -> ChatClient:
    return ChatClient(FakeProvider(seconds_per_piece=seconds), ClientOptions(model="fake"))


def test_answer_comes_to_a_plain_thread() -> None:
    with BlockingChat(scripted(["hi"])) as chat:
        assert (chat.chat(REQUEST).text, chat.model) == ("hi", "fake")


def test_error_comes_to_a_plain_thread() -> None:
    with (
        BlockingChat(scripted([RequestRefused("no")])) as chat,
        pytest.raises(RequestRefused, match="no"),
    ):
        chat.chat(REQUEST)


def test_many_threads_share_one_client() -> None:
    with (
        stub() as server,
        BlockingChat(client_on(server.base_url, concurrency=3)) as chat,
        ThreadPoolExecutor(8) as threads,
    ):
        answers = list(threads.map(chat.chat, [REQUEST] * 20))
    assert len(answers) == server.counts.requests == 20
    assert server.counts.most_at_once <= 3


def test_stream_comes_in_pieces() -> None:
    with BlockingChat(scripted(["one two"])) as chat:
        *pieces, last = chat.stream(REQUEST)
    assert [piece.text for piece in pieces] == ["one", " two"]
    assert last.response


def test_leaving_a_stream_stops_it() -> None:
    hook = NotingHook()
    with BlockingChat(scripted(["one two"], [hook])) as chat:
        for _ in chat.stream(REQUEST):
            break
        assert [call.stopped for call in hook.calls] == [True]


class _LeavesSlowly(FakeProvider):
    """Waits for its next piece, and takes a while to stop, as a connection does."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        yield Delta("one")
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)


def test_a_reader_interrupted_while_it_waits_leaves_the_stream_cleanly() -> None:
    """Simulate Ctrl-C in `future.result()`; a real one would end the test run itself."""
    hook = NotingHook()
    client = ChatClient(_LeavesSlowly(), ClientOptions(model="fake"), [hook])
    with BlockingChat(client) as chat:
        deltas = chat.stream(REQUEST)
        assert next(deltas).text == "one"
        with interrupted_waiting(), pytest.raises(KeyboardInterrupt):
            next(deltas)
        assert [call.stopped for call in hook.calls] == [True]


@contextmanager
def interrupted_waiting() -> Iterator[None]:
    """Interrupt the next wait for the event loop, once its work has begun."""
    kept, interrupts = Future.result, [KeyboardInterrupt()]

    def result(self: Future[Any], timeout: float | None = None) -> Any:
        if interrupts:
            with suppress(TimeoutError):
                kept(self, 0.05)
            raise interrupts.pop()
        return kept(self, timeout)

    Future.result = result  # type: ignore[method-assign]
    try:
        yield
    finally:
        Future.result = kept  # type: ignore[method-assign]


def test_answer_that_takes_too_long_is_given_up_and_recorded() -> None:
    hook = NotingHook()
    client = ChatClient(FakeProvider(seconds_per_piece=10), ClientOptions(model="fake"), [hook])
    with BlockingChat(client) as chat:
        with pytest.raises(EndpointDown, match=r"fake: no answer within 0.05 s"):
            chat.chat(REQUEST, timeout_seconds=0.05)
        assert [call.stopped for call in hook.calls] == [True]


def test_async_function_runs_with_its_arguments() -> None:
    async def twice(word: str) -> str:
        await asyncio.sleep(0)
        return word * 2

    with BlockingChat(scripted()) as chat:
        assert chat.run(twice, "ab") == "abab"


def test_async_function_that_takes_too_long_is_stopped() -> None:
    stopped: list[bool] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            stopped.append(True)
            raise

    with BlockingChat(scripted()) as chat, pytest.raises(EndpointDown, match=r"within 0.05 s"):
        chat.run(wait, timeout_seconds=0.05)
    assert stopped == [True]


def test_timeout_of_the_function_itself_stays_what_it_is() -> None:
    async def late() -> None:
        raise TimeoutError("its own")

    with BlockingChat(scripted()) as chat, pytest.raises(TimeoutError, match="its own"):
        chat.run(late, timeout_seconds=5)


def test_closing_closes_the_client_and_may_be_repeated() -> None:
    provider = FakeProvider()
    chat = BlockingChat(ChatClient(provider, ClientOptions(model="fake")))
    chat.close()
    chat.close()
    assert provider.closed
    with pytest.raises(RuntimeError, match="after it was closed"):
        chat.chat(REQUEST)


def test_closing_ends_a_call_that_is_running() -> None:
    chat = BlockingChat(slow())
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(chat.chat, REQUEST)
        while not chat.run(_tasks) > 1:
            pass
        chat.close()
        with pytest.raises(EndpointDown, match="was closed before its answer came"):
            answer.result(timeout=10)


def test_closing_ends_streams_that_are_read_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    hook = NotingHook()
    chat = BlockingChat(scripted(["one two three"] * 20, [hook]))
    streams = [chat.stream(REQUEST) for _ in range(20)]
    assert [next(stream).text for stream in streams[:4]] == ["one"] * 4
    chat.close()
    assert [call.stopped for call in hook.calls] == [True] * 4
    assert caplog.messages == []
    with pytest.raises(RuntimeError, match="after it was closed"):
        next(streams[0])


def test_use_in_a_forked_child_is_refused_instead_of_hanging() -> None:
    code = (
        "import os, signal\n"
        "from llm.clients import REQUEST, scripted\n"
        "from moodswarm.llm.blocking import BlockingChat\n"
        "chat = BlockingChat(scripted())\n"
        "if not (child := os.fork()):\n"
        "    signal.alarm(20)\n"
        "    chat.chat(REQUEST)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "RuntimeError: BlockingChat was opened before a fork" in done.stderr
    assert "Exception ignored" not in done.stderr


async def _tasks() -> int:
    await asyncio.sleep(0.005)
    return len(asyncio.all_tasks())


def test_use_from_its_own_loop_is_refused_instead_of_hanging() -> None:
    with BlockingChat(scripted()) as chat:

        async def inside() -> None:
            chat.chat(REQUEST)

        with pytest.raises(RuntimeError, match="from its own event loop"):
            chat.run(inside)


def test_interpreter_ends_by_itself_and_writes_what_hooks_hold() -> None:
    code = (
        "import threading\n"
        "from moodswarm.llm.blocking import BlockingChat\n"
        "from moodswarm.llm.messages import ChatRequest, Message\n"
        "from moodswarm.llm.profiles import open_chat, read_settings\n"
        "fake = {'provider': 'fake', 'model': 'fake', 'hooks': ['store']}\n"
        "settings = read_settings({'profile': 'p', 'profiles': {'p': fake}})\n"
        "stored = lambda records: print(len(records), flush=True)\n"
        "chat = BlockingChat(open_chat(settings, sink=stored))\n"
        "request = ChatRequest(messages=(Message('user', 'hello'),))\n"
        "chat.chat(request)\n"
        "async def hang():\n"
        "    import asyncio; await asyncio.sleep(1000)\n"
        "threading.Thread(target=chat.run, args=[hang], daemon=True).start()\n"
        "deltas = chat.stream(request)\n"
        "next(deltas)\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["1", "1"]), done.stderr
