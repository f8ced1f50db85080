"""Check that a batch of tasks loses no answer, pays for none twice, and keeps an endpoint busy.

Run: python benchmarks/llm.py [--tasks 1000] [--seconds 0.5] [--json FILE]

A local endpoint in a separate process answers in 0.5 s and has 16 places, one per request at a
time. About one request in five meets a fault: 429, 500, 503, no answer (the client gives up after
1 s), a lost connection, broken JSON, no JSON, the wrong shape, a truncated answer. "Busy" is the
share of places in use until the last tasks have begun (as many as there are places); "to end" is
the same share until the very end. Places with answers that nobody uses count as busy too. "Paid
twice" counts questions that got more than one good answer. Each client has its own process; one of
our clients is killed halfway and starts again. The rival is AsyncOpenAI with its own retries,
asyncio.gather and a semaphore; it validates answers the same way, but neither repairs them nor asks
again.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ValidationError

ROOT = Path(__file__).parents[1]
# Not the folder `tests`, because this file, llm.py, would hide the package `llm` in it.
sys.path.insert(0, str(ROOT / "tests" / "llm"))

PLACES, TIMEOUT = 16, 1.0
RATES = {"429": 0.03, "429 retry-after": 0.02, "500": 0.03, "503": 0.02, "hang": 0.01}
RATES |= {"drop": 0.01, "drop later": 0.01, "broken json": 0.03, "no json": 0.02}
RATES |= {"wrong shape": 0.02, "cut off": 0.01}
GOALS = {"busy": 0.9, "hook_ms": 1.0}
SPAWN = multiprocessing.get_context("spawn")
Row = dict[str, Any]
Work = Callable[[str, int, str, Connection], None]


class Echo(BaseModel):
    """The shape of the endpoint's answers."""

    answer: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=0.5, help="time that one answer takes")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    rows: dict[str, Row] = {}
    for name, rates in (("no faults", {}), ("faults", RATES)):
        case = (options.tasks, rates, options.seconds)
        rows[f"ours, {name}"] = measure(run_ours, *case)
        rows[f"rival, {name}"] = measure(run_rival, *case)
    rows["ours, killed in the middle"] = measure(run_ours, *case, kill=True)
    with endpoint({}, options.seconds) as ask:
        hooks = measure_hooks(ask("url"))
    show(rows, hooks, options.tasks, PLACES / options.seconds)
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "hooks": hooks}, indent=2))


def show(rows: dict[str, Row], hooks: Row, tasks: int, limit: float) -> None:
    """Print the table and the goals."""
    print(
        f"{tasks} tasks, {PLACES} at once, limit {limit:.0f} answers/s, {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f} at the end"
    )
    print(
        f"{'':27} {'done':>5} {'failed':>6} {'lost':>5} {'requests':>8} {'paid twice':>10}"
        f" {'at once':>7} {'tasks/s':>8} {'busy':>6} {'to end':>6} {'CPU ms':>7}"
    )
    for name, row in rows.items():
        print(
            f"{name:27} {row['done']:5} {row['failed']:6} {tasks - row['done'] - row['failed']:5}"
            f" {row['requests']:8} {row['paid_twice']:10} {row['at_once']:7}"
            f" {row['rate']:8.1f} {row['busy']:6.1%} {row['busy_to_end']:6.1%} {row['cpu_ms']:7.2f}"
        )
    killed = rows["ours, killed in the middle"]
    print(f"killed after {killed['before_kill']} results; then: {killed['report']}")
    print(f"requests in flight at the kill, at most {PLACES}, may be paid twice")
    for name in ("ours, no faults", "ours, faults"):
        print(f"{name}: {rows[name]['report']}")
        verdict(f"{name}, busy", rows[name]["busy"], rows[name]["busy"] >= GOALS["busy"], "busy")
    for name, value in hooks.items():
        print(f"{name}: {value:.3f} ms a call")
    cost = hooks["with log, trace, store and guard"] - hooks["without hooks"]
    verdict("hooks", cost, cost < GOALS["hook_ms"], "hook_ms")


def verdict(name: str, value: float, met: bool, goal: str) -> None:
    print(f"{name}: {value:.3f}, goal {GOALS[goal]:g}: {'met' if met else 'MISSED'}")


def measure(
    work: Work, tasks: int, rates: dict[str, float], seconds: float, *, kill: bool = False
) -> Row:
    """Run a client against a fresh endpoint; with `kill`, kill it halfway and run it again."""
    with TemporaryDirectory() as folder, endpoint(rates, seconds) as ask:
        url, before = ask("url"), 0
        if kill:
            before = run(work, url, tasks, folder, ask, stop_at=tasks // 2)["results"]
        row = run(work, url, tasks, folder, ask)
        counts = ask("counts")
    spent = counts["good"].values()
    return {
        **row,
        "before_kill": before,
        "paid_twice": sum(times > 1 for times in spent),
        "requests": counts["requests"],
        "at_once": counts["at_once"],
    }


def run(
    work: Work,
    url: str,
    tasks: int,
    folder: str,
    ask: Callable[[str], Any],
    stop_at: int | None = None,
) -> Row:
    """Run a client in a separate process; kill it after `stop_at` results, if that is given."""
    here, there = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=work, args=(url, tasks, folder, there))
    child.start()
    there.close()
    here.recv()  # The child has imported everything, so the clock starts now.
    start, busy, results = time.perf_counter(), ask("busy"), 0
    nearly: tuple[float, float] | None = None
    while not isinstance(message := here.recv(), dict):
        results += message
        if nearly is None and results >= tasks - PLACES:
            nearly = time.perf_counter() - start, ask("busy") - busy
        if stop_at and results >= stop_at:
            child.kill()
            child.join()
            return {"results": results}
    seconds, taken = time.perf_counter() - start, ask("busy") - busy
    child.join()
    steady, steadily = nearly or (seconds, taken)
    return {
        **message,
        "rate": tasks / seconds,
        "busy": steadily / PLACES / steady,
        "busy_to_end": taken / PLACES / seconds,
    }


@contextmanager
def endpoint(rates: dict[str, float], seconds: float) -> Iterator[Callable[[str], Any]]:
    """Run the stub in a process; yield a function that returns its `url`, `busy` or `counts`."""
    here, there = SPAWN.Pipe()
    child = SPAWN.Process(target=serve, args=(there, rates, seconds), daemon=True)
    child.start()

    def ask(what: str) -> Any:
        here.send(what)
        return here.recv()

    try:
        yield ask
    finally:
        child.terminate()
        child.join()


def serve(told: Connection, rates: dict[str, float], seconds: float) -> None:
    """Run as the endpoint."""
    from stub import stub

    with stub(rates=rates, places=PLACES, seconds=seconds) as server:
        while True:
            what, counts = told.recv(), server.counts
            if what == "url":
                told.send(server.base_url)
            elif what == "busy":
                told.send(counts.busy_seconds)
            else:
                whole = {"good": dict(counts.good), "requests": counts.requests}
                told.send({**whole, "at_once": counts.most_at_once})


def questions(tasks: int) -> list[dict[str, str]]:
    return [{"text": f"What is said about kettle number {number}?"} for number in range(tasks)]


def run_ours(url: str, tasks: int, folder: str, told: Connection) -> None:
    """Run a batch with a cache; send 1 for each result, then the totals."""
    asyncio.run(_run_ours(url, tasks, folder, told))


async def _run_ours(url: str, tasks: int, folder: str, told: Connection) -> None:
    from moodswarm.llm.batch.batch import run_batch
    from moodswarm.llm.batch.cache import TaskCache
    from moodswarm.llm.profiles import open_chat, read_settings
    from moodswarm.llm.tasks.task import Task
    from moodswarm.llm.tasks.templates import PromptTemplate

    profile = {
        "provider": "openai",
        "model": "stub-model",
        "base_url": url,
        "concurrency": PLACES,
        "timeout_seconds": {"total": TIMEOUT},
        "retries": {"first_wait_seconds": 0.2},
        "hooks": ["log"],
    }
    chat = open_chat(read_settings({"profile": "stub", "profiles": {"stub": profile}}))
    assert chat
    prompt = PromptTemplate.from_text("echo", "{% block user %}{{ text | quoted }}{% endblock %}")
    task = Task("echo", prompt, Echo, max_tokens=100)
    async with chat:
        batch = run_batch(
            task, chat, questions(tasks), concurrency=2 * PLACES, cache=TaskCache(Path(folder))
        )
        told.send(0)
        cpu = time.process_time()
        async with aclosing(aiter(batch)) as results:
            async for _ in results:
                told.send(1)
    report = batch.report
    used = (time.process_time() - cpu) * 1_000 / tasks
    row = {"done": report.done, "failed": report.failed.total(), "report": str(report)}
    told.send({**row, "cpu_ms": used})


def run_rival(url: str, tasks: int, _folder: str, told: Connection) -> None:
    """Run a client such as one would write by hand."""
    asyncio.run(_run_rival(url, tasks, told))


async def _run_rival(url: str, tasks: int, told: Connection) -> None:
    from openai import AsyncOpenAI, OpenAIError

    outcomes = {"done": 0, "failed": 0}
    places = asyncio.Semaphore(PLACES)
    async with AsyncOpenAI(base_url=url, api_key="key", max_retries=4, timeout=TIMEOUT) as client:

        async def ask(text: str) -> None:
            async with places:
                try:
                    completion = await client.chat.completions.create(
                        model="stub-model", messages=[{"role": "user", "content": text}]
                    )
                    Echo.model_validate_json(completion.choices[0].message.content or "")
                    outcomes["done"] += 1
                except (OpenAIError, ValidationError):
                    outcomes["failed"] += 1
            told.send(1)

        told.send(0)
        cpu = time.process_time()
        await asyncio.gather(*(ask(question["text"]) for question in questions(tasks)))
    told.send({**outcomes, "cpu_ms": (time.process_time() - cpu) * 1_000 / tasks, "report": ""})


def measure_hooks(url: str) -> Row:
    """Return the milliseconds that a call to the fake model takes, with and without hooks."""
    trace = {"name": "trace", "endpoint": f"{url}/traces"}
    guard = {"name": "guard", "refuse_prompts": ["xyzzy"], "withhold_answers": ["xyzzy"]}
    every: list[Any] = ["log", trace, "store", guard]
    cases = {"without hooks": [], "with log, trace, store and guard": every}
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(7):
        for name, hooks in cases.items():
            times[name].append(asyncio.run(_ask_fake(hooks)))
    # The best of several runs, because other programs can only add time.
    return {name: min(values) for name, values in times.items()}


async def _ask_fake(hooks: list[Any], calls: int = 1_000) -> float:
    from moodswarm.llm.messages import ChatRequest, Message
    from moodswarm.llm.profiles import open_chat, read_settings

    profile = {"provider": "fake", "model": "fake", "hooks": hooks}
    settings = read_settings({"profile": "fake", "profiles": {"fake": profile}})
    chat = open_chat(settings, sink=lambda _records: None)
    assert chat
    request = ChatRequest(messages=(Message("user", "What is said about kettles? " * 100),))
    async with chat:
        await chat.chat(request)
        start = time.perf_counter()
        for _ in range(calls):
            await chat.chat(request)
        return (time.perf_counter() - start) * 1_000 / calls


if __name__ == "__main__":
    main()
