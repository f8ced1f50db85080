"""How a retrieval goes on when a stage fails, is too slow, or lacks something."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from moodswarm.models.errors import ModelError, ModelNotFound
from moodswarm.retrieval.errors import ModelMismatch, RetrievalFailed
from moodswarm.stores.errors import StoreLocked, StoreUnavailable
from retrieval.fakes import FakeEmbedder
from retrieval.world import ALONE, ARTICLES, POSTS, World, states, texts

# Stages that fail

BROKEN = StoreUnavailable("the server is gone")


@pytest.mark.parametrize(
    ("call", "stage", "words"),
    [
        ("search", "dense", "the server is gone; searched by words alone"),
        ("search_lexical", "lexical", "the server is gone; searched by meaning alone"),
        ("scroll", "neighbours", "the server is gone; hits have their own text only"),
    ],
)
def test_a_failing_store_call_costs_its_stage_alone(
    world: World, call: str, stage: str, words: str
) -> None:
    world.store.faults.errors[call] = BROKEN
    found = world.ask("kettle")
    assert texts(found)
    assert found.trace.warnings == [f"{stage}: {words}"]


@pytest.mark.parametrize(
    ("call", "stage"),
    [("search", "dense"), ("search_lexical", "lexical"), ("scroll", "neighbours")],
)
def test_a_slow_store_call_costs_its_stage_alone(world: World, call: str, stage: str) -> None:
    world.store.faults.hanging.add(call)
    found = world.ask("kettle", **{stage: {"timeout_seconds": 0.05}})
    assert texts(found)
    [warning] = found.trace.warnings
    assert warning.startswith(f"{stage}: it took longer than 0.05 s; raise `retrieval.{stage}.")


def test_a_held_store_is_waited_for_where_ctrl_c_is_heard_and_costs_no_stage(world: World) -> None:
    faults = world.store.faults
    faults.hanging.add("open")
    threading.Timer(0.2, faults.release.set).start()
    found = world.ask("kettle", dense={"timeout_seconds": 0.1}, lexical={"timeout_seconds": 0.1})
    assert found.trace.warnings == []
    assert set(world.store.opened_in) == {threading.current_thread()}


def test_the_holder_of_a_store_is_named_and_no_time_limit(world: World) -> None:
    world.store.faults.errors["open"] = StoreLocked("held by pid 4711 (kedro run)")
    with pytest.raises(StoreLocked, match="pid 4711"):
        world.ask("kettle")


def test_a_collection_that_fails_leaves_the_others(world: World) -> None:
    world.store.faults.errors[f"search {POSTS}"] = BROKEN
    world.store.faults.errors[f"search_lexical {POSTS}"] = BROKEN
    found = world.ask("kettle")
    assert {passage.hit.collection for passage in found.passages} == {ARTICLES}
    assert [warning.split(";")[-1] for warning in found.trace.warnings] == [
        " the server is gone"
    ] * 2


@pytest.mark.parametrize("call", ["load", "embed"])
def test_without_the_embedding_model_words_are_searched(world: World, call: str) -> None:
    world.embedder.faults.errors[call] = ModelNotFound("no model here")
    found = world.ask("strike")
    assert texts(found) == ["The ferry strike is over. Boat"]
    assert found.trace.warnings == ["embed: no model here; searched by words alone"]
    assert states(found)["dense"] == "skipped"


def test_a_slow_embedding_model_is_not_waited_for(world: World) -> None:
    world.embedder.faults.hanging.add("embed")
    found = world.ask("strike", dense={"timeout_seconds": 0.05})
    assert texts(found)
    assert states(found)["embed"] == "degraded"


def rerank_fails(world: World) -> None:
    world.reranker.faults.errors["score"] = ModelError("not a cross-encoder")


def rerank_hangs(world: World) -> None:
    world.reranker.faults.hanging.add("score")


@pytest.mark.parametrize("break_it", [rerank_fails, rerank_hangs])
def test_without_a_reranker_the_fused_order_is_kept(
    world: World, break_it: Callable[[World], None]
) -> None:
    expected = texts(world.ask("old kettle"))
    break_it(world)
    found = world.ask("old kettle", rerank={"enabled": True, "timeout_seconds": 0.05})
    assert texts(found) == expected
    assert found.trace.warnings[0].endswith("; the fused order is kept")


def test_a_reranker_that_does_not_load_keeps_the_fused_order(world: World) -> None:
    world.reranker.faults.errors["load"] = ModelNotFound("no model here")
    found = world.ask("old kettle", rerank={"enabled": True})
    assert found.trace.warnings == ["rerank: no model here; the fused order is kept"]


def test_the_time_of_a_reranker_begins_when_it_is_loaded(world: World) -> None:
    world.reranker.faults.hanging.add("load")
    threading.Timer(1.5, world.reranker.faults.release.set).start()
    found = world.ask("old kettle", rerank={"enabled": True, "timeout_seconds": 1.0})
    assert states(found)["rerank"] == "ran"


def test_a_reranker_that_nobody_gave_is_said(world: World) -> None:
    found = world.ask("kettle", rerank={"enabled": True}, reranker=None)
    assert states(found)["rerank"] == "skipped"
    assert texts(found)


def test_when_nothing_can_be_searched_every_reason_is_named(world: World) -> None:
    world.embedder.faults.errors["embed"] = ModelError("no weights")
    world.store.faults.errors["search_lexical"] = BROKEN
    with pytest.raises(RetrievalFailed, match="no weights; the server is gone"):
        world.ask("kettle")


def test_one_reason_alone_is_raised_as_it_is(world: World) -> None:
    world.store.faults.errors |= {"search": BROKEN, "search_lexical": BROKEN}
    with pytest.raises(StoreUnavailable, match="the server is gone"):
        world.ask("kettle")


def test_an_error_in_the_program_is_not_hidden(world: World) -> None:
    world.store.faults.errors["search_lexical"] = KeyError("typo")
    with pytest.raises(KeyError, match="typo"):
        world.ask("kettle")


# Collections from another model or an older version


def test_vectors_of_another_model_leave_the_words(world: World) -> None:
    world.embedder = FakeEmbedder(identity="f" * 64)
    found = world.ask("strike")
    assert texts(found) == ["The ferry strike is over. Boat"]
    [warning] = found.trace.warnings
    for part in (
        "collection embedded_",
        "0123456789abcdef",
        "fake-model",
        "ffffffffffffffff",
        "kedro run",
    ):
        assert part in warning


def test_word_vectors_of_other_settings_leave_the_meaning(world: World) -> None:
    for point in world.store.points[POSTS].values():
        point["lexical_model"] = "another"
    found = world.ask("strike", **ALONE)
    assert len(found.passages) == 3
    assert states(found)["lexical"] == "degraded"
    assert f"lexical: collection {POSTS} holds word vectors" in found.trace.warnings[0]


def test_another_model_with_nothing_to_fall_back_on_is_an_error(world: World) -> None:
    world.embedder = FakeEmbedder(identity="f" * 64)
    with pytest.raises(ModelMismatch, match="vectors of another model .* than fake-model"):
        world.ask("strike", encoder=False)


def test_a_store_of_an_older_version_is_searched_by_meaning_and_says_so() -> None:
    world = World()
    world.fill(lexical=False)
    found = world.ask("strike", **ALONE)
    assert len(found.passages) == 3
    [warning] = found.trace.warnings
    assert warning == (
        f"lexical: collections {ARTICLES}, {POSTS} were built without word vectors; run "
        "`kedro run --pipeline=feature`, which adds them; searched by meaning alone"
    )
    world.close()


def test_one_collection_of_an_older_version_is_said_beside_hits_of_others(world: World) -> None:
    for point in world.store.points[POSTS].values():
        del point["lexical"], point["lexical_model"]
    found = world.ask("kettle", **ALONE)
    assert "lexical" in found.passages[0].scores
    [warning] = found.trace.warnings
    assert f"collection {POSTS} was built without word vectors" in warning


def test_chunks_without_words_beside_others_of_their_collection_are_said(world: World) -> None:
    first, *_ = sorted(world.store.points[POSTS].values(), key=lambda point: str(point["id"]))
    for point in world.store.points[POSTS].values():
        if point is not first:
            del point["lexical"], point["lexical_model"]
    found = world.ask("ferry strike boats tides", k=7, **ALONE)
    [warning] = found.trace.warnings
    assert f"some chunks of {POSTS} have no word vectors; run `kedro run" in warning


def test_looking_for_words_that_are_missing_does_not_take_for_ever(world: World) -> None:
    world.store.faults.hanging.add("scroll")
    found = world.ask("zebra", **ALONE, lexical={"timeout_seconds": 0.05})
    assert len(found.passages) == 3
    assert found.trace.warnings[0].startswith("lexical: it took longer than 0.05 s")


def test_without_a_tokenizer_tokens_are_estimated(world: World) -> None:
    class NoModel(FakeEmbedder):
        @property
        def tokenizer(self) -> Any:
            raise ModelNotFound("no model here")

        @tokenizer.setter
        def tokenizer(self, _: Any) -> None: ...

    world.embedder = NoModel()
    found = world.ask("kettle")
    assert found.context.sources
    assert found.trace.warnings[0].startswith("context: no model here; tokens are estimated")
