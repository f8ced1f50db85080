"""Many tasks in bounded memory: a failed item stops no other, and no answer is paid for twice.

    batch = run_batch(JUDGE, chat, ({"text": text} for text in texts), cache=cache, concurrency=16)
    async for result in batch:
        ...  # results come as the items finish; result.index says which item each belongs to
    print(batch.report)

An answer is cached as soon as it arrives, so a batch that was killed pays again only for the calls
that were in flight. Of equal items in flight at the same time, only the first is sent to the
model. A failed item is a result like any other, with its reason. An error that every further item
would meet stops the batch: iteration yields the results in flight and then raises the error. A
spent budget ends the iteration without an error, and `report` says so.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Iterable,
    Sized,
)
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from moodswarm.llm.batch.budget import Budget
from moodswarm.llm.batch.cache import Kept, TaskCache
from moodswarm.llm.batch.outcomes import BatchReport, Item, ItemResult, Meter
from moodswarm.llm.chat import Chat
from moodswarm.llm.errors import (
    BudgetSpent,
    EndpointDown,
    EndpointOverloaded,
    KeyRefused,
    LlmError,
    ProfileError,
    QuotaSpent,
    RequestRefused,
)
from moodswarm.llm.messages import ChatRequest, Usage
from moodswarm.llm.tasks.conversation import TaskResult
from moodswarm.records.ids import digest

__all__ = ["Batch", "BatchReport", "ItemResult", "run_batch"]

T = TypeVar("T")
Items = Iterable[Item] | AsyncIterable[Item]

_FATAL = (KeyRefused, QuotaSpent, ProfileError, BudgetSpent)
_ENDPOINT = (EndpointDown, EndpointOverloaded)
_FEWEST_FAILURES = 3


class BatchTask(Protocol[T]):
    """The methods of a task that a batch needs; `Task` and `TextTask` have them."""

    def request(self, **variables: Any) -> ChatRequest: ...
    async def answer(self, chat: Chat, request: ChatRequest) -> TaskResult[T]: ...
    def pack(self, value: T) -> Any: ...
    def unpack(self, packed: Any) -> T: ...


def run_batch(
    task: BatchTask[T],
    chat: Chat,
    items: Items,
    *,
    concurrency: int,
    cache: TaskCache | None = None,
    budget: Budget | None = None,
    on_progress: Callable[[BatchReport], None] = lambda _report: None,
) -> "Batch[T]":
    """Prepare a batch, which runs while it is iterated over, and can run only once.

    Args:
        items: The template variables of each task; items are read only as they are needed.
        concurrency: Maximum number of items in flight. Use about twice the client's own
            `concurrency`, so that items which wait before a retry leave no place empty.
        on_progress: Called after every item, on the event loop.

    Raises:
        ValueError: `concurrency` is below 1.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}; expected at least 1")
    return Batch(task, chat, items, concurrency, cache, budget, on_progress)


class Batch(Generic[T]):
    """A batch from `run_batch`: iterate over it for the results; `report` is always up to date."""

    def __init__(
        self,
        task: BatchTask[T],
        chat: Chat,
        items: Items,
        concurrency: int,
        cache: TaskCache | None,
        budget: Budget | None,
        on_progress: Callable[[BatchReport], None],
    ) -> None:
        self.report = BatchReport()
        self._task, self._model = task, chat.model
        self._chat = budget.watch(chat) if budget else chat
        self._cache, self._on_progress, self._concurrency = cache, on_progress, concurrency
        self._count = len(items) if isinstance(items, Sized) else None
        self._source = _numbered(items)
        self._reading = asyncio.Lock()
        self._results: asyncio.Queue[ItemResult[T] | None] = asyncio.Queue(maxsize=concurrency)
        self._flights: dict[str, asyncio.Future[ItemResult[T]]] = {}
        self._started = self._failures_in_a_row = 0
        self._begun = self._halted = False
        self._fatal: LlmError | None = None

    async def __aiter__(self) -> AsyncGenerator[ItemResult[T], None]:
        """Yield the results as they finish.

        Raises:
            LlmError: the error that stopped the batch: a refused key, a spent quota, a wrong
                profile or an endpoint that is down. A spent budget raises no error.
            RuntimeError: the batch has already run.
        """
        if self._begun:
            raise RuntimeError("this batch has already run. Make another with run_batch")
        self._begun = True
        workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        ending = asyncio.create_task(self._end(workers))
        try:
            while (result := await self._results.get()) is not None:
                yield result
            await ending
        finally:
            tasks = [*workers, ending]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._source.aclose()
        if self._fatal is not None and not isinstance(self._fatal, BudgetSpent):
            raise self._fatal

    async def _end(self, workers: list[asyncio.Task[None]]) -> None:
        await asyncio.wait(workers)
        if self._fatal is not None:
            refused = self.report.not_started or 0
            rest = None if self._count is None else self._count - self._started
            self.report.not_started = None if rest is None else refused + rest
        await self._results.put(None)
        for worker in workers:
            worker.result()

    async def _work(self) -> None:
        """Take items and finish them, one at a time."""
        try:
            while (numbered := await self._next()) is not None:
                if result := await self._finish(*numbered):
                    await self._results.put(result)
        except BaseException:
            self._halted = True
            raise

    async def _next(self) -> tuple[int, Item] | None:
        async with self._reading:
            if self._halted:
                return None
            numbered = await anext(self._source, None)
            self._started += numbered is not None
            return numbered

    async def _finish(self, index: int, item: Item) -> ItemResult[T] | None:
        """Return the outcome of an item; None if the budget had nothing left for it."""
        try:
            request = self._task.request(**item)
        except LlmError as error:
            return self._count_in(ItemResult(index=index, item=item, error=error))
        key = self._key(request)
        if flight := self._flights.get(key):
            result = _same(await asyncio.shield(flight), index, item)
        else:
            flight = self._flights[key] = asyncio.get_running_loop().create_future()
            try:
                result = await self._obtain(index, item, request, key)
                flight.set_result(result)
            except Exception as error:
                flight.set_exception(error)
                flight.exception()  # Without this, asyncio warns that nobody retrieved the error.
                raise
            finally:
                flight.cancel()
                del self._flights[key]
        self._judge(result)
        if isinstance(result.error, BudgetSpent) and not result.asks:
            self.report.not_started = (self.report.not_started or 0) + 1
            return None
        return self._count_in(result)

    def _key(self, request: ChatRequest) -> str:
        asked = request.content_hash(self._model)
        return digest({"task": request.task, "template": request.template, "request": asked})

    async def _obtain(
        self, index: int, item: Item, request: ChatRequest, key: str
    ) -> ItemResult[T]:
        """Take the answer from the cache, or ask the model and cache its answer."""
        if self._cache and (kept := self._cache.get(key)):
            try:
                value = self._task.unpack(kept.value)
            except ValueError:
                pass  # The output model has changed since, so the model is asked again.
            else:
                return _same(ItemResult(index=index, item=item, value=value), index, item)
        meter = Meter(self._chat)
        try:
            found = await self._task.answer(meter, request)
        except LlmError as error:
            return meter.complete(ItemResult(index=index, item=item, error=error), self.report)
        if self._cache:
            kept = Kept(
                value=self._task.pack(found.value),
                usage=found.usage,
                cost=found.cost,
                asks=found.asks,
                task=request.task,
                template=request.template,
            )
            self._cache.put(key, kept)
        result = ItemResult(index=index, item=item, value=found.value, repaired=found.repaired)
        return meter.complete(result, self.report)

    def _judge(self, result: ItemResult[T]) -> None:
        """Stop the batch if the next items would fail in the same way."""
        error = result.error
        if error is None:
            self._failures_in_a_row = 0 if not result.cached else self._failures_in_a_row
            return
        hopeless = isinstance(error, _ENDPOINT) or (
            # A single request may be refused for its length; it is rare that all of them are.
            isinstance(error, RequestRefused) and not self.report.done
        )
        self._failures_in_a_row = self._failures_in_a_row + 1 if hopeless else 0
        most = max(_FEWEST_FAILURES, self._concurrency)
        if self._fatal is None and (isinstance(error, _FATAL) or self._failures_in_a_row >= most):
            self._fatal, self._halted, self.report.stopped = error, True, str(error)

    def _count_in(self, result: ItemResult[T]) -> ItemResult[T]:
        report = self.report
        if result.error is None:
            report.done += 1
            report.cached += result.cached
        else:
            report.failed[result.reason or ""] += 1
        self._on_progress(report)
        return result


def _same(result: ItemResult[T], index: int, item: Item) -> ItemResult[T]:
    """Return a result for an equal item, without its cost, which is counted only once."""
    return replace(result, index=index, item=item, cached=True, usage=Usage(0, 0), cost=0.0, asks=0)


async def _numbered(items: Items) -> AsyncGenerator[tuple[int, Item], None]:
    index = 0
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield index, item
            index += 1
    else:
        for item in items:
            yield index, item
            index += 1
