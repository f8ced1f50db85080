"""Answers that were paid for are kept, whatever happens to the program."""

import multiprocessing
from pathlib import Path

import pytest

from llm.children import kept, key, put_many
from moodswarm.llm.batch.cache import TaskCache


@pytest.fixture
def cache(tmp_path: Path) -> TaskCache:
    return TaskCache(tmp_path / "cache")


def test_what_is_put_is_got(cache: TaskCache, tmp_path: Path) -> None:
    for number in range(100):
        cache.put(key(number), kept(number))
        assert cache.get(key(number)) == kept(number)
    again = TaskCache(tmp_path / "cache")
    assert all(again.get(key(number)) == kept(number) for number in range(100))


def test_what_was_not_put_is_not_there(cache: TaskCache, tmp_path: Path) -> None:
    assert cache.get(key(1)) is None
    assert not (tmp_path / "cache").exists()
    cache.put(key(1), kept(1))
    assert cache.get(key(2)) is None


def test_what_another_program_puts_is_seen(cache: TaskCache, tmp_path: Path) -> None:
    other = TaskCache(tmp_path / "cache")
    for number in range(3):
        assert cache.get(key(number)) is None
        other.put(key(number), kept(number))
        assert cache.get(key(number)) == kept(number)


def test_a_line_torn_anywhere_costs_only_itself(cache: TaskCache, tmp_path: Path) -> None:
    cache.put(key(1), kept(1))
    path = tmp_path / "cache" / "ab.jsonl"
    first = path.read_bytes()
    cache.put(key(2), kept(2))
    whole = path.read_bytes()
    for size in range(len(first), len(whole), 9):
        path.write_bytes(whole[:size])
        again = TaskCache(tmp_path / "cache")
        assert again.get(key(1)) == kept(1)
        assert again.get(key(2)) is None
        again.put(key(3), kept(3))
        assert again.get(key(3)) == kept(3)
        again.put(key(2), kept(2))
        assert TaskCache(tmp_path / "cache").get(key(2)) == kept(2)


def test_the_last_answer_counts(cache: TaskCache) -> None:
    cache.put(key(1), kept(1))
    cache.put(key(1), kept(2))
    assert cache.get(key(1)) == kept(2)


def test_a_folder_that_was_deleted_is_empty(cache: TaskCache, tmp_path: Path) -> None:
    for number in (1, 2):
        cache.put(key(number), kept(number))
        assert cache.get(key(number))
    (tmp_path / "cache" / "ab.jsonl").unlink()
    assert cache.get(key(1)) is None
    cache.put(key(2), kept(2))
    assert (cache.get(key(1)), cache.get(key(2))) == (None, kept(2))


def test_an_answer_of_another_version_is_asked_for_again(cache: TaskCache, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "ab.jsonl").write_text(f'{{"key": "{key(1)}", "v": 2}}\n')
    assert cache.get(key(1)) is None


def test_an_invalid_key_is_refused(cache: TaskCache) -> None:
    with pytest.raises(ValueError, match="'../x' is not a key; expected 64 hex digits"):
        cache.put("../x", kept(1))


def test_several_programs_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=put_many, args=(tmp_path, 200 * n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    cache = TaskCache(tmp_path)
    assert all(cache.get(key(number)) == kept(number) for number in range(600))
