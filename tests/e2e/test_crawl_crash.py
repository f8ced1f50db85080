"""A crawl may be killed at any moment; after the next crawl, no post is missing or stored twice."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from e2e.blog import Blog, serve_blog
from e2e.crawls import crawl, crawl_quietly, stored
from e2e.forks import started_server

KILLS = 20
POSTS = 60


def workers(folder: Path) -> set[int]:
    """Return the ids of crawlers and their children that run for this folder."""
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
    tmp_path: Path,
) -> None:
    chance = random.Random(11)
    with serve_blog(POSTS) as blog:
        blog.delay = 0.05
        killed = 0
        while killed < KILLS:
            run = started_server().Process(target=crawl_quietly, args=(tmp_path, blog.parameters()))
            run.start()
            run.join(chance.uniform(0.2, 5.0))
            if run.exitcode is None:
                victim = chance.choice([run.pid, *sorted(workers(tmp_path) - {run.pid})])
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    killed += 1
            else:
                assert run.exitcode == 0
                edit(blog, chance, killed)
            run.join(60)
            assert run.exitcode is not None, "a run continued without the killed process"
            while workers(tmp_path):  # If a worker never ends, the test exceeds its time limit.
                time.sleep(0.02)
        crawl(tmp_path, blog.parameters())
        documents = stored(tmp_path)
        assert len(documents) == POSTS
        for number, text in blog.posts.items():
            document = documents[blog.link(number).replace("http://", "https://")]
            assert document.content.removeprefix(f"# Letter {number}\n\n").strip() == text
        assert crawl(tmp_path, blog.parameters())["totals"]["unchanged"] == POSTS


def edit(blog: Blog, chance: random.Random, killed: int) -> None:
    """Edit some posts after a complete crawl, so that the next run has something to do."""
    for number in chance.sample(sorted(blog.posts), POSTS // 4):
        blog.posts[number] += f"\n\nEdited after {killed} kills."
