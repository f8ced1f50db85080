"""The stages of a retrieval: the result of each, and that each can be switched off."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from moodswarm.models.errors import ModelNotFound
from moodswarm.records import Author
from moodswarm.retrieval.errors import NothingEmbedded, RetrievalError
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.retrieval.plan import Plan
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.trace import Trace
from moodswarm.stores.errors import StoreError
from retrieval.fakes import chunks_of
from retrieval.world import ALONE, ARTICLES, FERRY, OFF, POSTS, World, report, states, texts

STAGES = [
    "self_query", "expansion", "embed", "dense", "lexical", "fusion", "read", "rerank",
    "neighbours", "context",
]  # fmt: skip


def test_the_best_passage_comes_first_with_the_text_around_it(world: World) -> None:
    found = world.ask("is the ferry strike over?")
    assert found.passages[0].hit.collection == POSTS
    assert found.passages[0].text.split() == FERRY.split()
    assert found.context.sources[0].passage == found.passages[0]


def test_every_stage_is_in_the_trace_in_order(world: World) -> None:
    found = world.ask("kettle", rerank={"enabled": True})
    assert [report.stage for report in found.trace.stages] == STAGES
    assert set(states(found).values()) == {"skipped", "ran"}
    assert all(report(found, stage).scores for stage in ("dense", "lexical", "fusion", "rerank"))
    assert found.trace.milliseconds > 0
    assert found.trace.warnings == []


def test_stages_that_are_off_do_not_run(world: World) -> None:
    found = world.ask(
        "kettle",
        self_query=OFF,
        expansion=OFF,
        lexical=OFF,
        rerank=OFF,
        neighbours=OFF,
        context=OFF,
    )
    off = {"self_query", "expansion", "lexical", "rerank", "neighbours", "context"}
    assert {stage for stage, state in states(found).items() if state == "off"} == off
    assert {call.split()[0] for call in world.store.calls} == {"search", "read"}
    assert found.context.sources == ()


def test_a_text_that_several_documents_share_is_one_passage(world: World) -> None:
    for key in ("copy", "other copy"):
        world.store.add(POSTS, chunks_of(key, f" {FERRY}", size=99))
    world.store.add(POSTS, chunks_of("news", "The strike of 1912.", size=99))
    found = world.ask("is the ferry strike over?", k=4)
    shown = texts(found)
    assert len(shown) == len(set(shown)) == 4
    assert FERRY in shown
    assert "copies left out: 1" in report(found, "neighbours").detail
    assert len(set(texts(world.ask("is the ferry strike over?", k=4, neighbours=OFF)))) == 4


@pytest.mark.parametrize("neighbours", [OFF, {"enabled": True}])
def test_copies_that_fill_a_search_leave_no_place_empty(
    world: World, neighbours: dict[str, bool]
) -> None:
    for number in range(60):
        world.store.add(POSTS, chunks_of(f"copy {number}", FERRY, size=99))
    few = {"candidates": 10}
    found = world.ask(FERRY, k=3, dense=few, lexical=few, neighbours=neighbours)
    assert len(set(texts(found))) == 3
    assert [hit.payload["text"] for hit in found.hits] == [FERRY] * 3
    assert [report.stage for report in found.trace.stages].count("dense") == 1


def test_hits_that_copies_replace_are_refilled_beyond_k(world: World) -> None:
    world.store.points.clear()
    for number in range(30):
        world.store.add(POSTS, chunks_of(f"copy {number}", "one and the same"))
        world.store.add(POSTS, chunks_of(f"other {number}", f"one other {number}"))
    few = {"candidates": 1}
    assert len(set(texts(world.ask("one and the same", k=20, dense=few, lexical=few)))) == 20


def test_a_corpus_that_has_no_more_is_searched_once(world: World) -> None:
    world.ask("kettle", k=50)
    assert len([call for call in world.store.calls if call.startswith("search ")]) == 3


def test_dense_alone_keeps_its_order_and_its_scores(world: World) -> None:
    found = world.ask("kettle sings", k=4, lexical=OFF, **ALONE)
    vector = world.embedder.embed_query("kettle sings")
    expected = [h for name in (ARTICLES, POSTS) for h in world.store.search(name, vector, 100)]
    expected.sort(key=lambda hit: (-hit.score, hit.id))
    assert [(p.hit.id, p.hit.score) for p in found.passages] == [
        (hit.id, hit.score) for hit in expected[:4]
    ]


def test_lexical_alone_embeds_nothing(world: World) -> None:
    found = world.ask("strike", dense=OFF, **ALONE)
    assert texts(found) == ["The ferry strike is over. Boat"]
    assert world.embedder.batches == []


def test_both_searches_off_is_refused() -> None:
    with pytest.raises(ValueError, match="dense and lexical search are both off"):
        RetrievalParams.model_validate({"dense": OFF, "lexical": OFF})


def test_k_beyond_the_candidates_is_searched_for(world: World) -> None:
    found = world.ask("kettle", k=6, dense={"candidates": 1}, lexical={"candidates": 1}, **ALONE)
    assert len(found.passages) == 6


# Understanding the question


class Expands:
    """Adds another wording of the question, and narrows the filters to an author."""

    def __init__(self) -> None:
        self.seen: list[Sequence[Author]] = []

    def plan(self, question: Question, authors: Sequence[Author], trace: Trace) -> Plan:
        self.seen.append(authors)
        trace.note("self_query", "ran")
        trace.note("expansion", "ran")
        filters = replace(question.filters, author_ids=("mira",))
        return Plan(filters, (question.text, "cups"))


def test_a_plan_is_searched_for_in_one_batch(world: World) -> None:
    found = world.ask("ferry", understanding=Expands(), **ALONE)
    assert found.queries == ("ferry", "cups")
    assert world.embedder.batches == [2]
    assert found.filters.author_ids == ("mira",)
    assert {passage.hit.payload["author_id"] for passage in found.passages} == {"mira"}


def test_authors_that_cannot_be_read_are_done_without(world: World) -> None:
    def authors() -> Sequence[Author]:
        raise StoreError("documents.db is locked")

    understanding = Expands()
    found = world.ask("ferry", understanding=understanding, authors=authors)
    assert understanding.seen == [()]
    assert "authors: documents.db is locked" in found.trace.warnings[0]


# Filters


def test_filters_hold_in_both_searches(world: World) -> None:
    found = world.ask("kettle ferry", filters=Filters(author_ids=("ada",)))
    assert {passage.hit.payload["author_id"] for passage in found.passages} == {"ada"}
    found = world.ask("kettle ferry", filters=Filters(kinds=("article",)))
    assert {passage.hit.collection for passage in found.passages} == {ARTICLES}


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (date(2024, 5, 6), date(2024, 5, 6), True),
        (None, date(2024, 5, 5), False),
        (date(2024, 5, 7), None, False),
        (date.min, date.max, True),
        (None, date.max, True),
    ],
)
def test_both_days_of_a_period_belong_to_it(
    world: World, since: date | None, until: date | None, found: bool
) -> None:
    retrieval = world.ask("kettle", filters=Filters(since=since, until=until))
    assert bool(retrieval.passages) == found


def test_what_has_no_date_is_in_no_period(world: World) -> None:
    found = world.ask("ferry", k=9, filters=Filters(until=date.max))
    assert {passage.hit.collection for passage in found.passages} == {ARTICLES}


@pytest.mark.parametrize(
    ("filters", "detail"),
    [
        (Filters(author_ids=("nobody",)), "of 7 chunks: 0 by the author"),
        (Filters(since=date(2030, 1, 1)), "of 7 chunks: 0 published since 2030-01-01"),
        (
            Filters(author_ids=("ada",), until=date(2024, 12, 31), kinds=("article", "post")),
            (
                "of 7 chunks of kind article or post: 3 by the author, 4 published until "
                "2024-12-31, none meets both"
            ),
        ),
        (
            Filters(kinds=("repository",)),
            "no chunk is of kind repository; there are 4 of kind article, 3 of kind post",
        ),
    ],
)
def test_no_hits_say_which_filter_leaves_nothing(
    world: World, filters: Filters, detail: str
) -> None:
    found = world.ask("kettle", filters=filters, rerank={"enabled": True})
    assert (found.passages, found.context.sources) == ((), ())
    assert report(found, "filters").detail == detail


def test_words_that_nobody_wrote_are_no_fault_of_a_filter(world: World) -> None:
    found = world.ask("zeppelin", dense=OFF)
    expected = "of 7 chunks: none of the 7 to be searched shares a word with the question"
    assert report(found, "filters").detail == expected


def test_an_empty_store_is_an_error_with_its_remedy(world: World) -> None:
    world.store.points.clear()
    with pytest.raises(NothingEmbedded, match=r"run `kedro run --pipeline=feature` first"):
        world.ask("kettle")


# Reranking


def test_the_reranker_gives_the_order_of_the_best_candidates(world: World) -> None:
    found = world.ask("kettle", k=6, rerank={"enabled": True, "candidates": 3}, **ALONE)
    fused = world.ask("kettle", k=6, **ALONE)
    by_z = sorted(fused.passages[:3], key=lambda p: (-p.hit.payload["text"].count("z"), p.hit.id))
    assert texts(found) == [p.hit.payload["text"] for p in by_z] + texts(fused)[3:]
    assert found.passages[0].hit.score == found.passages[0].scores["rerank"]
    assert found.passages[0].scores["fusion"] == by_z[0].hit.score


def test_the_reranker_reads_the_question_as_asked(world: World) -> None:
    world.ask("ferry", understanding=Expands(), rerank={"enabled": True})
    assert [query for query, _ in world.reranker.seen] == ["ferry"]


# Many questions at the same time


def test_many_threads_get_what_one_gets(world: World) -> None:
    retriever = world.retriever(rerank={"enabled": True})
    questions = [Question(text, k=4) for text in ("kettle", "ferry strike", "cups are blue")] * 20
    expected = [retriever.retrieve(question).passages for question in questions]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(retriever.retrieve, questions))
    assert [retrieval.passages for retrieval in found] == expected


def test_ties_are_ordered_by_id(world: World) -> None:
    for name in (ARTICLES, POSTS):
        rows = [chunks_of(f"{name}-{i}", "one and the same")[0] for i in range(20)]
        world.store.add(name, rows)
    found = world.ask("one and the same", k=30, **ALONE)
    ids = [hit.id for hit in found.hits]
    assert len(ids) == 30
    assert ids == sorted(ids)


def test_a_closed_retriever_says_so(world: World) -> None:
    retriever = world.retriever()
    retriever.close()
    retriever.close()
    with pytest.raises(RetrievalError, match="closed"):
        retriever.retrieve(Question("kettle"))


def test_warming_up_loads_what_is_used(world: World) -> None:
    world.embedder.faults.errors["load"] = ModelNotFound("no model here")
    with pytest.raises(ModelNotFound, match="no model here"):
        world.retriever().warm_up()
    world.retriever(dense=OFF).warm_up()


def test_bytes_that_are_no_text_do_not_end_a_question(world: World) -> None:
    assert Question("\udcff kettle").text == "? kettle"
    assert texts(world.ask("\udcff kettle")) == texts(world.ask("? kettle"))
