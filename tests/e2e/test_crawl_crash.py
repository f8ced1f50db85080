"""A crawl may be killed at any moment: nothing is missing after the next, and nothing twice."""

import multiprocessing
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from e2e.blog import serve_blog
from e2e.projects import SmallProject, run_crawl

KILLS = 20
POSTS = 120


@pytest.fixture(scope="module")
def forkserver() -> Any:
    """A server that has imported everything once, and forks a run in milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["e2e.projects", "moodswarm.pipelines.crawl"])
    return context


def workers(folder: Path) -> set[int]:
    """Return the crawlers and their children that run for a project of this test."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                environment = (entry / "environ").read_bytes()
                if f"MOODSWARM_TEST={folder}".encode() in environment:
                    found.add(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_crawls_lose_nothing_store_nothing_twice_and_leave_no_process(
    tmp_path: Path, tiny_model: Path, forkserver: Any
) -> None:
    chance = random.Random(11)
    with serve_blog(POSTS) as blog:
        blog.delay = 0.05
        project = SmallProject.create(tmp_path / "p", tiny_model, crawl=blog.parameters())
        killed = 0
        while killed < KILLS:
            run = forkserver.Process(target=_marked_crawl, args=(project.path, tmp_path))
            run.start()
            run.join(chance.uniform(0.5, 4.0))
            if run.exitcode is None:
                victims = sorted(workers(tmp_path) - {run.pid})
                victim = chance.choice([run.pid, *victims])
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                killed += 1
            elif run.exitcode == 0:
                # All is done: let the next run have something to do.
                for number in chance.sample(sorted(blog.posts), 30):
                    blog.posts[number] += f"\n\nEdited after {killed} kills."
            run.join(60)
            assert run.exitcode is not None, "a run went on without the process that was killed"
            while workers(tmp_path):  # the test's time limit is the failure
                time.sleep(0.02)
        project.crawl()
        stored = {d.link: d.content for d in project.documents()}
        assert len(stored) == POSTS
        for number, text in blog.posts.items():
            link = blog.link(number).replace("http://", "https://")
            assert stored[link].removeprefix(f"# Letter {number}\n\n").strip() == text
        assert project.crawl()["totals"]["unchanged"] == POSTS


def _marked_crawl(path: Path, folder: Path) -> None:
    os.environ["MOODSWARM_TEST"] = str(folder)
    run_crawl(path)
