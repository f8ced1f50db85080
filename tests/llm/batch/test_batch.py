"""A batch reports every item, pays for none twice, and stops when it should."""

import asyncio
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field

from llm.chats import ASK, QUESTION, Answer, Crowd, Replies
from llm.children import run_until_killed
from llm.clients import scripted
from llm.stub import stub
from moodswarm.llm.batch.batch import Batch, BatchReport, ItemResult, run_batch
from moodswarm.llm.batch.budget import Budget
from moodswarm.llm.batch.cache import TaskCache
from moodswarm.llm.chat import Chat
from moodswarm.llm.errors import (
    AnswerUnusable,
    EndpointDown,
    KeyRefused,
    ProfileError,
    QuotaSpent,
    RequestRefused,
)
from moodswarm.llm.hooks.guard import GuardHook, GuardOptions
from moodswarm.llm.limits import Price
from moodswarm.llm.messages import ChatResponse, Usage
from moodswarm.llm.tasks.task import Task, TextTask

Results = list[ItemResult[Answer]]


def items(count: int) -> list[Mapping[str, Any]]:
    return [{"text": str(number)} for number in range(count)]


async def collect(batch: Batch[Answer]) -> Results:
    async with aclosing(aiter(batch)) as results:
        return [result async for result in results]


def run(
    chat: Chat, given: Any, concurrency: int = 4, **options: Any
) -> tuple[Results, BatchReport]:
    async def run() -> tuple[Results, BatchReport]:
        batch = run_batch(ASK, chat, given, concurrency=concurrency, **options)
        return await collect(batch), batch.report

    return asyncio.run(run())


def failing(failures: Mapping[str, Exception]) -> Crowd:
    def answer(text: str) -> str:
        if text in failures:
            raise failures[text]
        return json.dumps({"answer": text})

    return Crowd(answer)


def test_every_item_has_its_result() -> None:
    crowd = Crowd()
    results, report = run(crowd, items(50))
    assert sorted(result.index for result in results) == list(range(50))
    assert all(r.value and r.value.answer == r.item["text"] == str(r.index) for r in results)
    assert (report.done, report.calls, report.cost) == (50, 50, 12.5)
    assert (report.prompt_tokens, report.completion_tokens) == (500, 250)
    assert crowd.most_at_once == 4


class Named(BaseModel):
    """An output model whose field is read under one name and written under another."""

    model_config = ConfigDict(extra="forbid")
    mood: str = Field(validation_alias="answer", serialization_alias="told")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def loud(self) -> str:
        return self.mood.upper()


def test_an_answer_with_other_names_is_found_again(tmp_path: Path) -> None:
    task = Task("ask", QUESTION, Named, max_tokens=50)

    async def run() -> tuple[list[ItemResult[Named]], BatchReport]:
        batch = run_batch(task, Crowd(), items(1), concurrency=1, cache=TaskCache(tmp_path))
        return [result async for result in batch], batch.report

    asyncio.run(run())
    (result,), report = asyncio.run(run())
    assert (report.cached, report.calls) == (1, 0)
    assert result.value == Named(answer="0")


def test_a_failed_item_is_reported_and_the_rest_goes_on() -> None:
    failures = {"3": EndpointDown("gone"), "5": RequestRefused("too long")}
    results, report = run(failing(failures), items(10))
    assert {r.index: r.reason for r in results if r.error} == {
        3: "EndpointDown",
        5: "RequestRefused",
    }
    assert (report.done, report.failed) == (8, Counter(EndpointDown=1, RequestRefused=1))
    assert "8 done (0 without a call); 2 failed (1 EndpointDown, 1 RequestRefused)" in str(report)


def test_an_item_that_fails_after_asking_says_what_it_took() -> None:
    results, report = run(Crowd(lambda text: "no"), items(1))
    assert isinstance(results[0].error, AnswerUnusable)
    assert (results[0].asks, results[0].cost, report.cost) == (2, 0.5, 0.5)


def test_an_item_with_the_wrong_variables_costs_nothing() -> None:
    results, report = run(Crowd(), [{"txt": "a"}, {"text": "b"}])
    assert {result.index: result.reason for result in results} == {0: "PromptError", 1: None}
    assert report.calls == 1


def test_items_are_read_as_they_are_needed() -> None:
    read = []

    def given() -> Iterator[dict[str, str]]:
        for number in range(1_000):
            read.append(number)
            yield {"text": str(number)}

    async def take_three() -> None:
        async with aclosing(aiter(run_batch(ASK, Crowd(), given(), concurrency=4))) as results:
            for _ in range(3):
                await anext(results)
                for _ in range(
                    5_000
                ):  # Enough turns of the loop to read everything if reading were unbounded.
                    await asyncio.sleep(0)

    asyncio.run(take_three())
    assert len(read) <= 3 + 4 + 4 + 4


def test_items_can_come_from_an_async_source() -> None:
    async def given() -> AsyncIterator[dict[str, str]]:
        for number in range(9):
            await asyncio.sleep(0)
            yield {"text": str(number)}

    assert run(Crowd(), given())[1].done == 9


def test_a_source_that_fails_fails_the_batch_after_what_was_begun() -> None:
    def given() -> Iterator[dict[str, str]]:
        yield {"text": "1"}
        raise OSError("the disk is gone")

    crowd, finished = Crowd(), []
    with pytest.raises(OSError, match="the disk is gone"):
        run(crowd, given(), on_progress=lambda report: finished.append(report.done))
    assert finished == [1]


def test_what_is_finished_is_never_paid_again(tmp_path: Path) -> None:
    first, second = Crowd(), Crowd()
    run(first, items(10), cache=TaskCache(tmp_path))
    results, report = run(second, items(12), cache=TaskCache(tmp_path))
    assert sorted(second.asked) == ["10", "11"]
    assert (report.done, report.cached, report.calls, report.cost) == (12, 10, 2, 0.5)
    assert all(result.value for result in results)


@pytest.mark.parametrize("what", ["model", "template", "output", "max_tokens", "temperature"])
def test_what_changes_the_answer_is_asked_for_again(tmp_path: Path, what: str) -> None:
    class Other(Answer):
        why: str = ""

    template = QUESTION.from_text("ask", "{% block user %} {{ text | quoted }}{% endblock %}")
    changed = {
        "template": Task("ask", template, Answer, max_tokens=50),
        "output": Task("ask", QUESTION, Other, max_tokens=50),
        "max_tokens": Task("ask", QUESTION, Answer, max_tokens=51),
        "temperature": Task("ask", QUESTION, Answer, max_tokens=50, temperature=1.0),
    }
    crowd, cache = Crowd(), TaskCache(tmp_path)
    run(crowd, items(1), cache=cache)
    crowd.model = "other" if what == "model" else "m"
    batch = run_batch(changed.get(what, ASK), crowd, items(1), concurrency=1, cache=cache)
    asyncio.run(collect(batch))
    assert batch.report.cached == 0


def test_an_answer_that_the_output_model_refuses_now_is_asked_for_again(tmp_path: Path) -> None:
    run(Crowd(), items(1), cache=TaskCache(tmp_path))
    (path,) = tmp_path.glob("*.jsonl")
    path.write_text(path.read_text().replace('"value": {"answer"', '"value": {"reply"'))
    assert run(Crowd(), items(1), cache=TaskCache(tmp_path))[1].calls == 1


def test_failures_are_not_kept(tmp_path: Path) -> None:
    cache = TaskCache(tmp_path)
    run(failing({"0": EndpointDown("gone")}), items(1), cache=cache)
    assert run(Crowd(), items(1), cache=cache)[1].calls == 1


def test_equal_items_in_flight_are_asked_once() -> None:
    crowd = Crowd()
    results, report = run(crowd, [{"text": "a"}] * 4 + [{"text": "b"}])
    assert sorted(crowd.asked) == ["a", "b"]
    assert sorted(result.index for result in results) == [0, 1, 2, 3, 4]
    assert (report.done, report.cached, report.calls) == (5, 3, 2)


def test_text_tasks_can_be_batched(tmp_path: Path) -> None:
    task = TextTask("tell", QUESTION, max_tokens=50)
    for cached in (0, 3):
        batch = run_batch(
            task, Crowd(lambda text: "So."), items(3), concurrency=2, cache=TaskCache(tmp_path)
        )

        async def read(batch: Batch[str] = batch) -> list[str | None]:
            return [result.value async for result in batch]

        assert asyncio.run(read()) == ["So."] * 3
        assert batch.report.cached == cached


def test_a_killed_batch_pays_again_only_for_what_was_in_flight(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=run_until_killed, args=(tmp_path,))
    child.start()
    paid = tmp_path / "paid"
    while not (paid.exists() and paid.read_text().count("\n") == 10):
        assert child.is_alive()
        time.sleep(0.01)
    child.kill()
    child.join()
    crowd = Crowd()
    _, report = run(crowd, items(20), cache=TaskCache(tmp_path / "cache"))
    # When the kill came, the tenth answer may have been paid for but not cached.
    assert (
        {str(number) for number in range(10, 20)}
        <= {*crowd.asked}
        <= {"9", *map(str, range(10, 20))}
    )
    assert report.done == 20


def test_a_cancelled_batch_leaves_nothing_running_and_the_cache_whole(tmp_path: Path) -> None:
    async def cancel() -> tuple[Crowd, int]:
        crowd = Crowd()
        batch = run_batch(ASK, crowd, items(1_000), concurrency=8, cache=TaskCache(tmp_path))
        running = asyncio.create_task(collect(batch))
        while batch.report.done < 20:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert crowd.at_once == 0
        return crowd, batch.report.done

    _, done = asyncio.run(cancel())
    _, report = run(Crowd(), items(100), cache=TaskCache(tmp_path))
    assert (report.done, report.cached) == (100, done)


@pytest.mark.parametrize("error", [KeyRefused("401: wrong key"), ProfileError("no such model")])
def test_what_fails_every_item_stops_the_batch_at_once(error: Exception) -> None:
    crowd = Crowd(lambda text: (_ for _ in ()).throw(error))
    batch = run_batch(ASK, crowd, items(1_000), concurrency=4)
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(collect(batch))
    report = batch.report
    assert len(crowd.asked) <= 4
    assert report.failed.total() + (report.not_started or 0) == 1_000
    assert str(error) in str(report)


@pytest.mark.parametrize("error", [EndpointDown("gone"), RequestRefused("404: no such model")])
def test_an_endpoint_that_fails_everyone_is_given_up(error: Exception) -> None:
    crowd = Crowd(lambda text: (_ for _ in ()).throw(error))
    batch = run_batch(ASK, crowd, items(1_000), concurrency=4)
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(collect(batch))
    assert len(crowd.asked) < 10
    assert batch.report.failed.total() + (batch.report.not_started or 0) == 1_000


def test_a_quota_that_is_spent_on_the_way_stops_the_batch() -> None:
    crowd = failing({str(number): QuotaSpent("402") for number in range(5, 1_000)})
    batch = run_batch(ASK, crowd, items(1_000), concurrency=2)
    with pytest.raises(QuotaSpent, match="402"):
        asyncio.run(collect(batch))
    assert batch.report.done == 5
    assert len(crowd.asked) <= 7


def test_requests_refused_now_and_then_do_not_stop_a_batch() -> None:
    failures = {str(number): RequestRefused("too long") for number in range(10, 30)}
    assert run(failing(failures), items(40))[1].failed == Counter(RequestRefused=20)


def test_nobody_knows_how_many_items_of_a_stopped_stream_are_left() -> None:
    batch = run_batch(ASK, failing({"0": KeyRefused("401")}), iter(items(9)), concurrency=1)
    with pytest.raises(KeyRefused, match="401"):
        asyncio.run(collect(batch))
    assert "? not started" in str(batch.report)


def test_a_spent_budget_ends_the_batch_cleanly(tmp_path: Path) -> None:
    budget, cache = Budget(tokens=200), TaskCache(tmp_path)
    results, report = run(Crowd(), items(50), budget=budget, cache=cache)
    assert len(results) == report.done == budget.spent.tokens // 15
    assert 200 - 61 <= budget.spent.tokens <= 200
    assert report.done + (report.not_started or 0) == 50
    assert "the budget is spent" in str(report.stopped)
    assert (
        run(Crowd(), items(50), budget=Budget(tokens=10_000), cache=cache)[1].cached == report.done
    )


def test_answers_that_a_guard_withholds_are_paid_for() -> None:
    guard = GuardHook(GuardOptions(withhold_answers=("secret",)))
    answers = [ChatResponse(text="secret", usage=Usage(10, 5))] * 20
    chat = scripted(answers, [guard], price=Price(prompt_per_million=0, completion_per_million=0))
    results, report = run(chat, items(20), budget=Budget(tokens=100), concurrency=1)
    assert (report.failed, report.calls) == (Counter(GuardRefused=3), 3)
    assert {(result.asks, result.usage) for result in results} == {(1, Usage(10, 5))}
    assert "45 of 100 tokens" in str(report.stopped)


def test_cached_items_cost_no_budget(tmp_path: Path) -> None:
    run(Crowd(), items(5), cache=TaskCache(tmp_path))
    _, report = run(Crowd(), items(5), cache=TaskCache(tmp_path), budget=Budget(tokens=0))
    assert (report.done, report.stopped) == (5, None)


def test_progress_is_reported_after_every_item() -> None:
    seen: list[int] = []
    run(Crowd(), items(5), on_progress=lambda report: seen.append(report.done))
    assert seen == [1, 2, 3, 4, 5]


def test_no_items_are_no_calls() -> None:
    assert run(Replies(), []) == ([], BatchReport())


def test_a_batch_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="concurrency is 0; expected at least 1"):
        run_batch(ASK, Replies(), [], concurrency=0)


def test_over_a_bad_endpoint_all_are_accounted_for_and_none_is_paid_twice(tmp_path: Path) -> None:
    from moodswarm.llm.profiles import open_chat, read_settings

    faults = {"429": 0.05, "429 retry-after": 0.03, "500": 0.05, "hang": 0.02, "drop": 0.03}
    faults |= {"drop later": 0.02, "broken json": 0.05, "no json": 0.03, "cut off": 0.03}

    async def read(url: str) -> BatchReport:
        profile = {"provider": "openai", "model": "stub-model", "base_url": url, "concurrency": 8}
        profile |= {"timeout_seconds": {"total": 2}, "retries": {"first_wait_seconds": 0.01}}
        chat = open_chat(read_settings({"profile": "p", "profiles": {"p": profile}}))
        assert chat
        async with chat:
            batch = run_batch(ASK, chat, items(100), concurrency=16, cache=TaskCache(tmp_path))
            results = await collect(batch)
        assert sorted(result.index for result in results) == list(range(100))
        return batch.report

    with stub(rates=faults, places=8, seconds=0.005, seed=1) as server:
        report = asyncio.run(read(server.base_url))
    assert report.done + report.failed.total() == 100
    assert report.done >= 90
    answers = {"AnswerUnusable", "AnswerCutOff"}
    assert {*report.failed} <= answers | {"EndpointOverloaded", "EndpointDown"}
    assert server.counts.most_at_once <= 8
    assert {*server.counts.good.values()} == {1}


def test_a_batch_runs_once() -> None:
    batch = run_batch(ASK, Crowd(), items(2), concurrency=2)
    asyncio.run(collect(batch))
    with pytest.raises(RuntimeError, match="this batch has already run. Make another"):
        asyncio.run(collect(batch))
