"""Only one process at a time can hold a folder; the others are told which process holds it."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moodswarm.stores.errors import StoreLocked, StoreUnavailable
from moodswarm.stores.folder_lock import FolderLock, command_line

HOLD = """
import sys, time
from pathlib import Path
from moodswarm.stores.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), 0)
lock.acquire()
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""

Hold = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Yield a function that starts a process to hold the lock for some seconds."""
    started: list[subprocess.Popen[str]] = []

    def start(seconds: float = 60, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(tmp_path), str(seconds), *words]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


def test_no_timeout_raises_at_once_with_holder_path_and_remedy(hold: Hold, tmp_path: Path) -> None:
    child = hold()
    lock = FolderLock(tmp_path, 0)
    with pytest.raises(StoreLocked) as caught:
        lock.acquire()
    for word in (f"pid {child.pid} (-c ", str(tmp_path), "Let it finish or stop it", "server"):
        assert word in str(caught.value)


def test_a_wait_is_logged_once_and_ends_with_the_holder(
    hold: Hold, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child = hold(0.3)
    with caplog.at_level(logging.WARNING), FolderLock(tmp_path, 30):
        pass
    (message,) = caplog.messages
    assert message.startswith(f"waiting for pid {child.pid} (-c ")
    assert message.endswith(f"which holds the store {tmp_path}")


def test_a_wait_ends_at_the_timeout(hold: Hold, tmp_path: Path) -> None:
    hold()
    told: list[str] = []
    lock = FolderLock(tmp_path, 0.05, on_wait=told.append)
    with pytest.raises(StoreLocked, match=r"waited 0\.05 seconds"):
        lock.acquire()
    assert len(told) == 1


def test_a_killed_holder_blocks_nobody(hold: Hold, tmp_path: Path) -> None:
    child = hold()
    child.kill()
    child.wait()
    assert (tmp_path / "store.lock.json").exists()
    with FolderLock(tmp_path, 0):
        pass


def test_release_lets_the_next_one_in_and_leaves_no_details(tmp_path: Path) -> None:
    for _ in range(2):
        lock = FolderLock(tmp_path / "new", 0)
        with lock:
            assert (tmp_path / "new" / "store.lock.json").exists()
        assert not (tmp_path / "new" / "store.lock.json").exists()
        lock.release()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lock = FolderLock(tmp_path / "file" / "store", 0)
    with pytest.raises(StoreUnavailable, match=r"cannot lock the store at .*file/store: "):
        lock.acquire()


def test_unreadable_details_still_say_that_it_is_locked(hold: Hold, tmp_path: Path) -> None:
    hold()
    (tmp_path / "store.lock.json").write_text("{")
    lock = FolderLock(tmp_path, 0)
    with pytest.raises(StoreLocked, match="is held by another process"):
        lock.acquire()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["/usr/bin/kedro", "run", "--pipeline=feature"], "kedro run --pipeline=feature"),
        (["kedro", "--params=api_key=abc,n=1"], "kedro --params=api_key=***"),
        (["kedro", "--token", "abc", "run"], "kedro --token *** run"),
        (["kedro", "password:abc"], "kedro password:***"),
        (["kedro", "mongodb://me:abc@host/db"], "kedro mongodb://***@host/db"),
        (["kedro", "--author=Alice"], "kedro --author=Alice"),
        ([], ""),
    ],
)
def test_a_command_line_shows_no_secret(given: list[str], shown: str) -> None:
    assert command_line(given) == shown


def test_a_long_command_line_is_cut() -> None:
    line = command_line(["kedro", "x" * 500])
    assert len(line) == 120
    assert line.endswith("...")
