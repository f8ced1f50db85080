"""Making a plan from a question: with a model, without one, and when the model fails."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from moodswarm.llm.blocking import BlockingChat
from moodswarm.llm.client import ChatClient, ClientOptions
from moodswarm.llm.errors import EndpointDown
from moodswarm.llm.providers.fake import FakeProvider, Reply
from moodswarm.records import Author
from moodswarm.retrieval.opening import open_retriever
from moodswarm.retrieval.parameters import ExpansionParams, RetrievalParams, SelfQueryParams
from moodswarm.retrieval.plan import Plan
from moodswarm.retrieval.planning.planner import Planner
from moodswarm.retrieval.question import Filters, Question
from moodswarm.retrieval.retriever import Retriever
from moodswarm.retrieval.trace import Trace
from moodswarm.text.lexical import LexicalEncoder
from retrieval.fakes import FakeEmbedder, FakeStore, chunks_of

AUTHORS = [Author.from_full_name(name) for name in ("Mira Solano", "Ada Lovelace")]
MIRA = AUTHORS[0].id
QUESTION = Question("What did Mira write about tea last year?")
WORDINGS = json.dumps({"wordings": ["green leaves", "hot drinks"]})
WITH_MODEL = RetrievalParams(
    self_query=SelfQueryParams(use_model=True), expansion=ExpansionParams(enabled=False)
)

Opened = Callable[..., BlockingChat]


@pytest.fixture
def chat_of() -> Iterator[Opened]:
    opened: list[BlockingChat] = []

    def open_chat(*replies: Reply, seconds_per_piece: float = 0.0) -> BlockingChat:
        provider = FakeProvider(replies, seconds_per_piece=seconds_per_piece)
        opened.append(BlockingChat(ChatClient(provider, ClientOptions(model="fake"))))
        return opened[-1]

    yield open_chat
    for chat in opened:
        chat.close()


def plan(
    chat: BlockingChat | None = None, question: Question = QUESTION, **params: Any
) -> tuple[Plan, dict[str, tuple[str, str]]]:
    """Return the plan, and the state and detail of each stage."""
    trace = Trace()
    given = params.pop("params", None) or RetrievalParams(**params)
    planner = Planner(given, chat, today=lambda: date(2026, 11, 21))
    found = planner.plan(question, AUTHORS, trace)
    return found, {stage.stage: (stage.state, stage.detail) for stage in trace.stages}


def test_without_a_model_rules_find_filters() -> None:
    found, stages = plan()
    expected = Filters((MIRA,), (), date(2025, 1, 1), date(2025, 12, 31))
    assert found == Plan(expected, ("What about tea?",))
    assert stages["self_query"] == (
        "ran",
        "by Mira Solano, since 2025-01-01 until 2025-12-31; searched for: What about tea?",
    )
    assert stages["expansion"] == ("skipped", "no model is configured")


def test_stages_that_are_off_do_nothing(chat_of: Opened) -> None:
    found, stages = plan(
        chat_of(),  # This model has no reply, so it would refuse any request.
        self_query=SelfQueryParams(enabled=False),
        expansion=ExpansionParams(enabled=False),
    )
    assert found == Plan(Filters(), (QUESTION.text,))
    assert {state for state, _ in stages.values()} == {"off"}


def test_expansions_follow_the_question(chat_of: Opened) -> None:
    found, stages = plan(chat_of(WORDINGS))
    assert found.queries == ("What about tea?", "green leaves", "hot drinks")
    assert stages["expansion"] == ("ran", "green leaves | hot drinks")


@pytest.mark.parametrize("reply", ["no JSON", EndpointDown("nobody is there")])
def test_expansion_does_without_a_model_that_fails(chat_of: Opened, reply: Reply) -> None:
    found, stages = plan(chat_of(reply, reply))
    assert found.queries == ("What about tea?",)
    state, detail = stages["expansion"]
    assert state == "degraded"
    assert "the question alone is searched for" in detail


def test_expansion_does_without_a_model_that_is_slow(chat_of: Opened) -> None:
    slow = chat_of(WORDINGS, seconds_per_piece=60)
    found, stages = plan(slow, expansion=ExpansionParams(timeout_seconds=0.05))
    assert found.queries == ("What about tea?",)
    assert stages["expansion"][0] == "degraded"
    assert "no answer within 0.05 s" in stages["expansion"][1]


def test_a_model_reads_filters_where_it_is_wanted(chat_of: Opened) -> None:
    read = {"authors": ["Mira Solano"], "kinds": ["post"], "since": "2024-02-01"}
    question = Question("Que dit Mira dans ses billets depuis fevrier 2024 ?")
    found, stages = plan(chat_of(json.dumps(read)), question, params=WITH_MODEL)
    assert found.filters == Filters((MIRA,), ("post",), date(2024, 2, 1))
    assert stages["self_query"][0] == "ran"
    assert found.queries == ("Que dit dans ses billets depuis fevrier 2024 ?",)


def test_the_model_words_what_is_searched_for(chat_of: Opened) -> None:
    provider = FakeProvider([WORDINGS])
    with BlockingChat(ChatClient(provider, ClientOptions(model="fake"))) as chat:
        plan(chat)
    assert "What about tea?" in provider.requests[0].messages[-1].content


def test_words_of_a_filter_that_the_caller_overrules_are_searched_for() -> None:
    asked = Filters(author_ids=(AUTHORS[1].id,))
    found, _ = plan(question=Question("What did Mira write about tea in 2023?", asked))
    assert found.queries == ("What did Mira write about tea?",)


def test_a_model_cannot_invent_an_author_or_one_who_is_not_named(chat_of: Opened) -> None:
    read = {"authors": ["Ada Lovelace", "Tom Jones"]}
    found, _ = plan(chat_of(json.dumps(read)), params=WITH_MODEL)
    assert found.filters == Filters()


@pytest.mark.parametrize("reply", ['{"kinds": ["poem"]}', EndpointDown("nobody is there")])
def test_rules_stand_in_for_a_model_that_fails(chat_of: Opened, reply: Reply) -> None:
    found, stages = plan(chat_of(reply, reply), params=WITH_MODEL)
    assert found.filters.author_ids == (MIRA,)
    assert stages["self_query"][0] == "degraded"
    assert "by rules, as the model failed" in stages["self_query"][1]


def test_days_that_a_model_confuses_are_left_out_and_told(chat_of: Opened) -> None:
    read = {"since": "2024-02-01", "until": "2020-01-01"}
    found, stages = plan(chat_of(json.dumps(read)), params=WITH_MODEL)
    assert found.filters == Filters()
    assert "left out: the model reads since 2024-02-01" in stages["self_query"][1]


def test_a_contradiction_is_told_and_the_caller_wins() -> None:
    asked = Filters(author_ids=(AUTHORS[1].id,))
    found, stages = plan(question=Question(QUESTION.text, asked))
    assert found.filters.author_ids == asked.author_ids
    state, detail = stages["self_query"]
    assert state == "degraded"
    assert "the question names Mira Solano, the filter another author" in detail


def test_of_a_pasted_text_no_filter_is_read() -> None:
    found, stages = plan(question=Question(f"{QUESTION.text} " * 100))
    assert found.filters == Filters()
    assert stages["self_query"][0] == "skipped"


def test_one_planner_serves_many_threads(chat_of: Opened) -> None:
    chat = chat_of(*[WORDINGS] * 20)
    with ThreadPoolExecutor(8) as pool:
        plans = list(pool.map(lambda _: plan(chat)[0], range(20)))
    assert len({found.queries for found in plans}) == 1


def retriever(chat: BlockingChat | None = None) -> Retriever:
    store = FakeStore()
    store.add(
        "embedded_articles",
        chunks_of("one", "tea and boats", author_id=MIRA, kind="article"),
    )
    return open_retriever(
        store,
        FakeEmbedder(),
        None,
        RetrievalParams(lexical={"enabled": False}),
        authors=lambda: AUTHORS,
        chat=chat,
    )


def test_a_passage_does_not_win_by_repeating_the_words_of_a_filter() -> None:
    store = FakeStore()
    about = {"author_id": MIRA, "kind": "article", "published_at": "2023-05-01T00:00:00+00:00"}
    for key, text in (
        ("licence", "Copyright 2022 Mira Solano, written since 2022"),
        ("tea", "tea is best made in an old kettle"),
    ):
        store.add("embedded_articles", chunks_of(key, text, size=60, **about))
    question = Question("what did Mira Solano write about tea since 2022?")
    with open_retriever(
        store, FakeEmbedder(), LexicalEncoder(), RetrievalParams(), authors=lambda: AUTHORS
    ) as opened:
        found = opened.retrieve(question)
    assert found.filters == Filters((MIRA,), (), date(2022, 1, 1))
    assert [passage.hit.payload["document_id"] for passage in found.passages] == ["tea", "licence"]


def test_filters_of_the_question_that_leave_nothing_are_left_out(chat_of: Opened) -> None:
    question = Question("What did Mira say about tea in her posts?")
    # There is one reply, so the second search must not ask the model again.
    with retriever(chat_of(WORDINGS)) as found_in:
        found = found_in.retrieve(question)
    assert len(found.passages) == 1
    assert (found.question, found.filters) == (question, Filters())
    assert found.queries == (question.text, "green leaves", "hot drinks")
    (warning,) = found.trace.warnings
    assert "nothing in the corpus is by Mira Solano, kind post; searched without that" in warning


def test_the_callers_filters_that_leave_nothing_stay() -> None:
    question = Question("What did Mira say about tea?", Filters(kinds=("post",)))
    with retriever() as found_in:
        found = found_in.retrieve(question)
    assert found.passages == ()
    assert found.filters.kinds == ("post",)
