"""Rules that read the sources a question asks for, and rather miss a filter than invent one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.records import Author
from moodswarm.retrieval.planning.dates import Days
from moodswarm.retrieval.planning.folding import Folded, fold
from moodswarm.retrieval.planning.self_query import (
    MAX_CHARACTERS,
    WantedSources,
    narrow,
    read_question,
    search_text,
)
from moodswarm.retrieval.question import Filters

TODAY = date(2026, 11, 21)
NAMES = (
    *("Mira Solano", "Ada Lovelace", "Élise Dubois", "Will Baker", "Jan Jones", "Bo Larsen"),
    *("Ana Larsen", "OpenAI", "Søren Kierkegaard", "Rose Miller"),
)
AUTHORS = [Author.from_full_name(name) for name in NAMES]
MIRA, ADA = AUTHORS[:2]


def read(question: str) -> WantedSources:
    return read_question(question, AUTHORS, TODAY)


def names(question: str) -> list[str]:
    return [author.full_name for author in read(question).authors]


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What did Mira Solano write about tea?", "Mira Solano"),
        ("what has MIRA SOLANO written", "Mira Solano"),
        ("What Did Mira Solano Write About Tea?", "Mira Solano"),
        ("tea by mira", "Mira Solano"),
        ("What did Mira write about tea?", "Mira Solano"),
        ("what does solano think of tea", "Mira Solano"),
        ("What is Mira's view of tea?", "Mira Solano"),
        ("what are Mira’s views", "Mira Solano"),
        ("according to Jones, what is tea?", "Jan Jones"),
        ("which of Jones' posts mention tea", "Jan Jones"),
        ("what did elise say", "Élise Dubois"),
        ("posts of Elise Dubois", "Élise Dubois"),
        ("what did Soren write", "Søren Kierkegaard"),
        ("WHAT DID MIRA WRITE", "Mira Solano"),
        ("Mira says that tea is good. Why?", "Mira Solano"),
        ("did Will ever mention bread", "Will Baker"),
        ("written by OpenAI", "OpenAI"),
        ("Who is Mira Solano's favourite author?", "Mira Solano"),
    ],
)
def test_an_author_is_found(question: str, name: str) -> None:
    assert names(question) == [name]


@pytest.mark.parametrize(
    "question",
    [
        "tell me about Mira Solano",
        "the life of Mira Solano",
        "What do people say about Mira?",
        "who influenced Mira",
        "a portrait painted by Mira Solano",
        "What did Mira Stone write?",
        "What did Bo Mira write?",
        "Larsen's posts",
        "will the ferry run",
        "did will write",
        "what was not written by Mira Solano",
        "anyone except Mira Solano",
        "articles other than by Mira",
        "everybody but Mira Solano",
        "what do all apart from Mira Solano say",
        "who is Mira Solano?",
        "who was Ada Lovelace, and what did she do",
        "Ada Lovelace Day talks",
        "what is a miracle",
        "how do I use openai with python",
        "write to mira@example.org",
    ],
)
def test_no_author_is_invented(question: str) -> None:
    assert names(question) == []


def test_two_authors_are_any_of_both() -> None:
    assert names("what did Ada and Mira write on tea") == ["Ada Lovelace", "Mira Solano"]
    assert names("Compare Mira's view with Ada's") == ["Ada Lovelace", "Mira Solano"]


def test_the_writer_is_told_from_the_topic() -> None:
    assert names("What did Mira Solano say about Ada Lovelace?") == ["Mira Solano"]


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("What did she say in her posts about boats?", ("post",)),
        ("in Mira's code, how are retries done?", ("repository",)),
        ("How does Mira use retries in her repositories?", ("repository",)),
        ("Which articles mention tea?", ("article",)),
        ("blog posts about tea", ("article",)),
        ("What does Mira's blog say about tea?", ("article",)),
        ("what is said about tea in the posts and articles", ("article", "post")),
        ("posts by Mira", ("post",)),
        ("what did I write in my posts about tea", ("post",)),
        ("show me repositories that use tea", ("repository",)),
        ("posts in the past year about tea", ("post",)),
        ("posts until May 2023", ("post",)),
        ("What does her latest article on tea say?", ("article",)),
    ],
)
def test_a_kind_is_found(question: str, kinds: tuple[str, ...]) -> None:
    assert read(question).kinds == kinds


@pytest.mark.parametrize(
    "question",
    [
        "how do I write code",
        "How do I write articles that people read?",
        "how do I use emoji in posts",
        "secrets in my repository",
        "Mira's code review habits",
        "her repository pattern",
        "which blog engine is best",
        "the code of conduct",
        "articles of faith",
        "where is the post office",
        "sources other than her posts",
        "How do developers document changes in their repositories?",
    ],
)
def test_no_kind_is_invented(question: str) -> None:
    assert read(question).kinds == ()


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("in 2023", "2023-01-01", "2023-12-31"),
        ("since March 2022", "2022-03-01", None),
        ("since 3rd March, 2022", "2022-03-03", None),
        ("since 2022-05", "2022-05-01", None),
        ("on March 3, 2022", "2022-03-03", "2022-03-03"),
        ("before 2020", None, "2019-12-31"),
        ("after Feb 2020", "2020-03-01", None),
        ("until 2020-05-17", None, "2020-05-17"),
        ("between 2019 and 2021", "2019-01-01", "2021-12-31"),
        ("between 2021 and 2019", "2019-01-01", "2021-12-31"),
        ("from May 2019 to June 2021", "2019-05-01", "2021-06-30"),
        ("in 2019–2021", "2019-01-01", "2021-12-31"),
        ("from 2021 on", "2021-01-01", None),
        ("in 2021 on boats", "2021-01-01", "2021-12-31"),
        ("since 2019 but before 2021", "2019-01-01", "2020-12-31"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("this year", "2026-01-01", "2026-12-31"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("in the last 10 days", "2026-11-11", "2026-11-21"),
        ("in the last two weeks", "2026-11-07", "2026-11-21"),
        ("in 2022 or 2023", "2022-01-01", "2023-12-31"),
        ("in 2021, 2022 and 2023", "2021-01-01", "2023-12-31"),
        ("in 2021 and in 2023", "2021-01-01", "2023-12-31"),
        ("in May 2023 or June 2023", "2023-05-01", "2023-06-30"),
        ("more in 2022 than in 2023", "2022-01-01", "2023-12-31"),
        ("since last year", "2025-01-01", None),
        ("since yesterday", "2026-11-20", None),
        ("until last month", None, "2026-10-31"),
        ("before this week", None, "2026-11-15"),
        ("yesterday", "2026-11-20", "2026-11-20"),
    ],
)
def test_days_are_found(words: str, since: str | None, until: str | None) -> None:
    expected = Days(
        date.fromisoformat(since) if since else None, date.fromisoformat(until) if until else None
    )
    assert read(f"What did Mira write {words}?").days == expected
    assert read(f"{words}, what did Mira write?").days == expected


@pytest.mark.parametrize(
    "question",
    [
        "What did Mira write about the 2008 crisis?",
        "What did Mira write about life since the 2008 crisis?",
        "What caused the bank failures in 2008?",
        "What did Mira say in 2000 words?",
        "What did Mira write on 2048-bit keys?",
        "What did she write in 2023-02-31?",
        "What did Mira say about last year's harvest?",
        "which articles are not in 2019",
        "what did Mira write in May",
        "What does Mira say of how tea is made today?",
        "What did Mira say about last year?",
        "How did Mira's views change from 2020?",
    ],
)
def test_no_days_are_invented(question: str) -> None:
    assert read(question).days == Days()


def test_a_question_that_contradicts_itself_says_so() -> None:
    found = read("posts since 2022 and before 2020")
    assert found.days == Days()
    assert "both since 2022-01-01 and until 2019-12-31" in found.conflict


def test_a_pasted_text_has_names_and_years_of_its_own() -> None:
    assert read("What did Mira write in 2023? " * 50) == WantedSources()


def test_a_name_of_accents_alone_is_nobody() -> None:
    assert (
        read_question("what did \u0301 write", [Author.from_full_name("\u0301")], TODAY)
        == WantedSources()
    )


def test_many_authors_and_a_tangled_question_are_read_to_the_end() -> None:
    """A pattern that backtracks would run into the time limit of the test suite."""
    authors = [Author.from_full_name(f"First{i} Last{i}") for i in range(2_000)]
    tangled = ("posts by in 2023 since her " * 40)[:MAX_CHARACTERS]
    assert read_question(tangled, authors, TODAY).authors == ()


def test_the_question_narrows_what_the_caller_asks_for() -> None:
    asked = Filters(author_ids=(MIRA.id, ADA.id), since=date(2020, 1, 1))
    filters, conflicts = narrow(asked, read("What did Mira write in her posts before 2023?"))
    expected = Filters((MIRA.id,), ("post",), date(2020, 1, 1), date(2022, 12, 31))
    assert (filters, conflicts) == (expected, [])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Filters(author_ids=(ADA.id,)), "the question names Mira Solano"),
        (Filters(kinds=("article",)), "asks for post, the filter for article"),
        (Filters(since=date(2024, 1, 1)), "until 2022-12-31, the filter for since 2024-01-01"),
    ],
)
def test_the_caller_wins_a_contradiction_and_it_is_said(asked: Filters, said: str) -> None:
    filters, conflicts = narrow(asked, read("What did Mira write in her posts before 2023?"))
    assert said in conflicts[0]
    for name in ("author_ids", "kinds", "since"):
        if getattr(asked, name):
            assert getattr(filters, name) == getattr(asked, name)


def test_the_callers_own_filters_are_never_widened() -> None:
    asked = Filters(kinds=("post",), since=date(2022, 6, 1), until=date(2022, 7, 1))
    filters, _ = narrow(asked, read("What did Mira write in 2022 in her posts and articles?"))
    assert (filters.kinds, filters.since, filters.until) == (asked.kinds, asked.since, asked.until)


def searched(question: str, asked: Filters | None = None) -> str:
    found = read(question)
    filters, _ = narrow(asked or Filters(), found)
    return search_text(question, filters, found)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("what did Mira Solano write about tea since 2022?", "what about tea?"),
        ("What did Mira Solano say about Ada Lovelace?", "What about Ada Lovelace?"),
        ("what did Ada and Mira write on tea", "what on tea"),
        ("tea by mira", "tea"),
        ("tea, as described by Mira", "tea, as described"),
        ("according to Jones, what is tea?", "what is tea?"),
        ("what is the price of Mira's tea?", "what is the price of tea?"),
        ("in Mira's code, how are retries done?", "how are retries done?"),
        ("How does Mira use retries in her repositories?", "How does use retries?"),
        ("What did she say in her posts about boats?", "What did she say about boats?"),
        ("which of Jones' posts mention café life", "which mention café life"),
        ("what did  Élise Dubois’s  essays say of naïve cafés?", "what did say of naïve cafés?"),
        ("What did Mira write in 2021, 2022 and 2023 on why it rains?", "What on why it rains?"),
        ("posts by Mira on tea, published since March 2022", "on tea"),
        ("WHAT DID MIRA WRITE ABOUT TEA", "WHAT ABOUT TEA"),
    ],
)
def test_words_that_became_a_filter_are_not_searched_for(question: str, text: str) -> None:
    assert searched(question) == text


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("what did Mira Solano say about the Solano river?", "what about the Solano river?"),
        ("what did Rose Miller write about rose gardens?", "what about rose gardens?"),
        ("What did Mira write about the 2008 crisis?", "What about the 2008 crisis?"),
    ],
)
def test_the_same_words_as_the_topic_stay(question: str, text: str) -> None:
    assert searched(question) == text


@pytest.mark.parametrize(
    "question", ["what has Mira Solano written since 2022?", "posts by Mira", "how do I write code"]
)
def test_a_question_without_another_word_is_searched_for_whole(question: str) -> None:
    assert searched(question) == question


def test_words_that_contradict_the_caller_are_searched_for() -> None:
    asked = Filters(author_ids=(ADA.id,), since=date(2024, 1, 1))
    question = "What did Mira write about tea in her posts before 2023?"
    assert searched(question, asked) == "What did Mira write about tea before 2023?"


@given(st.text(max_size=60))
def test_a_folded_text_knows_its_places(text: str) -> None:
    folded = Folded.of(text)
    assert folded.text == fold(text)
    assert len(folded.places) == len(folded.text) + 1
    assert list(folded.places) == sorted(folded.places)
    for letter, place in zip(folded.text, folded.places, strict=False):
        assert letter in fold(text[place]) or (letter == " " and text[place : place + 1])
