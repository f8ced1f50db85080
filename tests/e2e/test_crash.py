"""A run may be killed at any moment; the next one completes exactly what is missing."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError

from e2e.forks import started_server
from e2e.projects import ROOT, SmallProject, article, post, run_feature, without_vectors
from models.tiny import build_tiny_checkpoint
from moodswarm.stores.vectors.edge.store import EdgeVectorStore

KILLS = 20
PAGING = {"documents": 3, "characters": 1_000}


def start(project: SmallProject) -> BaseProcess:
    process = started_server().Process(target=run_feature, args=(project.path,))
    process.start()
    return process


def finish(process: BaseProcess) -> int | None:
    process.join(timeout=120)
    return process.exitcode


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_runs_lose_nothing_and_leave_nothing_behind(
    tmp_path: Path, tiny_model: Path
) -> None:
    chance = random.Random(7)
    project = SmallProject.create(tmp_path / "killed", tiny_model, paging=PAGING)
    corpus = {d.id: d for d in [*map(article, range(30)), *map(post, range(10))]}
    project.upsert(corpus.values())
    assert finish(start(project)) == 0
    began = time.monotonic()
    assert finish(start(project)) == 0
    duration = time.monotonic() - began

    killed = attempt = 0
    while killed < KILLS:
        attempt += 1
        assert attempt < 5 * KILLS
        edited = [
            article(n, f"Edition {attempt} of {n}. " * 9) for n in chance.sample(range(40), 9)
        ]
        gone = chance.sample([post(n) for n in range(10)], 2)
        project.upsert(edited)
        project.tombstone(*gone)
        corpus |= {d.id: d for d in edited}
        for document in gone:
            corpus.pop(document.id, None)
        process = start(project)
        process.join(timeout=chance.uniform(0.0, 1.5 * duration))
        process.kill()
        killed += finish(process) == -signal.SIGKILL
    assert finish(start(project)) == 0

    undisturbed = SmallProject.create(tmp_path / "undisturbed", tiny_model)
    undisturbed.upsert(corpus.values())
    undisturbed.run()
    expected, found = undisturbed.points(), project.points()
    assert without_vectors(found) == without_vectors(expected)
    for key, point in expected.items():
        if "vector" in point:
            assert found[key]["vector"] == pytest.approx(point["vector"], abs=1e-5)


class Interrupted(Exception):
    pass


@pytest.mark.slow
def test_an_interruption_at_any_write_is_repaired_even_if_all_changes_are_undone(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupt a run before its n-th write, then undo an edit, an addition and a new model."""
    other_model = build_tiny_checkpoint(tmp_path / "other", seed=1)
    before = [article(0), article(1), post(0)]
    undisturbed = SmallProject.create(tmp_path / "undisturbed", tiny_model)
    undisturbed.upsert(before)
    undisturbed.run()
    expected = undisturbed.points()
    paging = {"documents": 2, "characters": 10_000}
    started = SmallProject.create(tmp_path / "started", tiny_model, paging=paging)
    started.upsert(before)
    started.run()
    writes = interrupted = 0

    def failing(write: Any, at: int) -> Any:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes == at:
                raise Interrupted
            return write(*arguments, **options)

        return wrapped

    for at in range(1, 60, 3):
        project = SmallProject(shutil.copytree(started.path, tmp_path / str(at)))
        project.upsert([article(0, "Another text altogether. " * 20), article(7)])
        project.tombstone(post(0))
        writes = 0
        with monkeypatch.context() as patched:
            for name in ("upsert_points", "delete_points"):
                patched.setattr(EdgeVectorStore, name, failing(getattr(EdgeVectorStore, name), at))
            with suppress(DatasetError):
                project.run(embedding={"model": str(other_model)})
        project.upsert(before)
        project.tombstone(article(7))
        project.run()
        found = project.points()
        assert without_vectors(found) == without_vectors(expected), f"interrupted at write {at}"
        for key, point in expected.items():
            assert found[key].get("vector", []) == pytest.approx(point.get("vector", []), abs=1e-5)
        if writes < at:
            break  # The run made fewer than `at` writes, so every write has been tried.
        interrupted += 1
    assert interrupted >= 8


@pytest.mark.slow
def test_a_second_run_waits_for_the_first(tmp_path: Path, tiny_model: Path) -> None:
    project = SmallProject.create(tmp_path / "project", tiny_model, paging=PAGING)
    project.upsert(map(article, range(20)))
    runs = [start(project) for _ in range(2)]
    assert [finish(run) for run in runs] == [0, 0]
    assert project.run()["documents"]["unchanged"] == 20
    index = [key for key in project.points() if key.startswith("feature_index/")]
    assert len(index) == 20


@pytest.mark.slow
def test_the_main_job_uses_no_network(tmp_path: Path, tiny_model: Path) -> None:
    project = SmallProject.create(tmp_path / "project", tiny_model)
    script = f"""
import json, sys
sys.path[:0] = [{str(ROOT / "tests")!r}]
attempts = []
def refuse(event, args):
    if event == "socket.getaddrinfo" and args[0] not in ("localhost", "127.0.0.1", "::1", None):
        attempts.append(str(args[0]))
        raise PermissionError("no network: " + str(args[0]))
    if event == "socket.connect" and isinstance(args[1], tuple):
        if not str(args[1][0]).startswith(("127.", "::1")):
            attempts.append(str(args[1]))
            raise PermissionError("no network: " + str(args[1]))
sys.addaudithook(refuse)
from pathlib import Path
from e2e.projects import SmallProject, article
project = SmallProject(Path({str(project.path)!r}))
project.upsert([article(1)])
report = project.run()
print(json.dumps([attempts, report["documents"]["new"]]))
"""
    environment = {k: v for k, v in os.environ.items() if k != "DO_NOT_TRACK"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [[], 1]
