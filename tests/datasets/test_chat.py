"""The configured model as a dataset, and the node that uses it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from kedro.io import DatasetError

from evaluation.retrieval.corpora import TEXTS, chunks_of, open_store
from moodswarm.datasets.chat import ChatDataset
from moodswarm.llm.batch.cache import Kept, TaskCache
from moodswarm.llm.errors import ProfileError
from moodswarm.llm.messages import ChatRequest, Message
from moodswarm.pipelines.retrieval_evaluation.nodes import write_test_questions
from moodswarm.pipelines.retrieval_evaluation.parameters import EvaluationParams
from moodswarm.records.calls import CallRecord

FAKE = {"profile": "fake", "profiles": {"fake": {"provider": "fake", "model": "echo"}}}


def test_without_a_profile_nothing_is_loaded(tmp_path: Path) -> None:
    dataset = ChatDataset(path=str(tmp_path / "answers"))
    assert dataset.load() is None
    assert not dataset.exists()
    dataset.configure({"profile": None, **{k: v for k, v in FAKE.items() if k == "profiles"}})
    assert dataset.load() is None


def test_a_model_is_opened_once_and_closed(tmp_path: Path) -> None:
    dataset = ChatDataset(path=str(tmp_path / "answers"))
    dataset.configure(FAKE)
    first = dataset.load()
    assert first is not None
    assert dataset.load() is first
    dataset.release()
    dataset.release()
    with pytest.raises(RuntimeError, match="after it was closed"):
        first.chat.chat(ChatRequest(messages=(Message("user", "Hello"),)))
    assert list(tmp_path.iterdir()) == []


def test_calls_go_to_the_sink(tmp_path: Path) -> None:
    kept: list[CallRecord] = []

    def sink(calls: Sequence[CallRecord]) -> None:
        kept.extend(calls)

    dataset = ChatDataset(path=str(tmp_path))
    profile = {"provider": "fake", "model": "echo", "hooks": ["store"]}
    dataset.configure({"profile": "fake", "profiles": {"fake": profile}}, sink)
    configured = dataset.load()
    assert configured is not None
    configured.chat.chat(ChatRequest(messages=(Message("user", "Hello"),)))
    dataset.release()
    assert len(kept) == 1


def test_answers_of_a_dry_run_are_kept_apart(tmp_path: Path) -> None:
    dataset = ChatDataset(path=str(tmp_path))
    dataset.configure(FAKE)
    configured = dataset.load()
    assert configured is not None
    configured.cache.put("ab" * 32, Kept(value="made up"))
    dataset.release()
    assert TaskCache(tmp_path).get("ab" * 32) is None
    assert TaskCache(tmp_path / "fake").get("ab" * 32) is not None


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    dataset = ChatDataset(path=str(tmp_path), profile="fakr")
    dataset.configure(FAKE)
    with pytest.raises(DatasetError, match="did you mean 'fake'") as caught:
        dataset.load()
    assert isinstance(caught.value.__cause__, ProfileError)


def test_a_model_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="a model cannot be saved here"):
        ChatDataset(path=str(tmp_path)).save("gpt")  # type: ignore[arg-type]


def test_what_the_model_was_asked_for_is_accounted_for(tmp_path: Path) -> None:
    dataset = ChatDataset(path=str(tmp_path / "answers"))
    dataset.configure(FAKE)
    store = open_store(tmp_path / "store", chunks_of(TEXTS))
    params = EvaluationParams(questions=4, written_share=0.5)
    _, about = write_test_questions(store, None, dataset.load(), params)
    store.close()
    dataset.release()
    assert about["types"].get("written", 0) + sum(about["unwritten"].values()) == 2


def test_a_budget_of_nothing_asks_no_model(tmp_path: Path) -> None:
    dataset = ChatDataset(path=str(tmp_path / "answers"))
    dataset.configure(FAKE)
    store = open_store(tmp_path / "store", chunks_of(TEXTS))
    params = EvaluationParams(questions=4, written_share=0.5, written_max_tokens=0)
    _, about = write_test_questions(store, None, dataset.load(), params)
    store.close()
    dataset.release()
    assert about["unwritten"] == {"BudgetSpent": 2}
    assert about["count"] == 4
