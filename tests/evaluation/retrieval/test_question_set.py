"""The test set for the project's own corpus."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.retrieval.corpora import CODE, TEXTS, chunk, chunks_of, open_store
from moodswarm.evaluation.retrieval.known_items import build, make_question
from moodswarm.evaluation.retrieval.question_set import NothingToAskAbout, TestSet, build_test_set
from moodswarm.evaluation.retrieval.questions import (
    TestQuestion,
    UnreadableQuestions,
    from_json,
    to_json,
    version_of,
)
from moodswarm.evaluation.retrieval.survey import ChunkText
from moodswarm.evaluation.retrieval.words import Rarity, words


def made(
    path: Path,
    chunks: Sequence[ChunkText],
    recorded: Sequence[TestQuestion] = (),
    count: int = 10,
    seed: int = 0,
) -> TestSet:
    store = open_store(path, chunks)
    try:
        return build_test_set(store, recorded, count=count, seed=seed)
    finally:
        store.close()


def test_two_runs_ask_the_same(tmp_path: Path) -> None:
    chunks = chunks_of(TEXTS)
    one, other = made(tmp_path / "a", chunks), made(tmp_path / "b", chunks[::-1])
    assert one == other
    assert one.new == len(one.questions) == len(TEXTS)


def test_another_seed_asks_something_else(tmp_path: Path) -> None:
    chunks = chunks_of(TEXTS)
    assert made(tmp_path / "a", chunks) != made(tmp_path / "b", chunks, seed=1)


def test_questions_do_not_repeat_a_run_of_the_chunk(tmp_path: Path) -> None:
    for question in made(tmp_path, chunks_of(TEXTS)).questions:
        asked = " ".join(words(question.text))
        assert not any(asked in " ".join(words(text)) for text in TEXTS)


def test_a_question_can_be_told_from_its_words(tmp_path: Path) -> None:
    chunks = chunks_of(TEXTS)
    by_id = {each.id: set(words(each.text)) for each in chunks}
    for question in made(tmp_path, chunks).questions:
        assert set(words(question.text)) <= by_id[question.chunk_id]


def test_chunks_with_the_same_text_are_all_expected(tmp_path: Path) -> None:
    near = TEXTS[0].replace("small red notebook", "small green notebook")
    copies = [chunk(TEXTS[0], 8, "post"), chunk(f"Again! {TEXTS[0]} The end.", 9)]
    chunks = [*chunks_of(TEXTS), *copies, chunk(near, 10)]
    found = {q.chunk_id: q for q in made(tmp_path, chunks).questions}
    expected = {chunks[0].id, *(each.id for each in copies)}
    assert expected <= set(found[chunks[0].id].expected)
    assert found[chunks[1].id].expected == (chunks[1].id,)


def test_kinds_and_authors_have_their_share(tmp_path: Path) -> None:
    many = chunks_of([f"{text} Number {'abcdefgh'[n]}." for n in range(8) for text in TEXTS])
    few = [chunk(TEXTS[1], 90, "post"), chunk(TEXTS[2], 91, author="Ada Lovelace")]
    found = made(tmp_path, [*many, *few], count=6)
    assert {each.id for each in few} <= {q.chunk_id for q in found.questions}


def test_questions_are_kept_while_their_chunks_are_there(tmp_path: Path) -> None:
    chunks = chunks_of(TEXTS[:3])
    first = made(tmp_path / "a", chunks)
    second = made(tmp_path / "b", [*chunks[1:], chunk(TEXTS[3], 3)], first.questions, seed=5)
    assert (second.kept, second.dropped, second.new) == (2, 1, 1)
    kept = [q for q in first.questions if q.chunk_id != chunks[0].id]
    assert list(second.questions[:2]) == kept


def test_a_corpus_that_grows_does_not_change_the_test_set(tmp_path: Path) -> None:
    first = made(tmp_path / "a", chunks_of(TEXTS[:2]), count=2)
    second = made(tmp_path / "b", chunks_of(TEXTS), first.questions, count=2)
    assert version_of(second.questions) == version_of(first.questions)


def test_fewer_questions_leave_the_last_ones_out(tmp_path: Path) -> None:
    first = made(tmp_path / "a", chunks_of(TEXTS))
    second = made(tmp_path / "b", chunks_of(TEXTS), first.questions, count=2)
    assert second.questions == first.questions[:2]


def test_code_is_asked_for_by_docstring_or_name() -> None:
    rarity = Rarity()
    found = {
        (question.type, question.text)
        for seed in range(20)
        if (question := make_question(chunk(CODE, kind="repository"), rarity, seed))
    }
    assert found == {
        ("docstring", "read heights every station lines text"),
        ("name", "parse tide table"),
    }


def test_contractions_are_no_words_to_ask_about() -> None:
    text = "It's what they've won't didn’t that’s you'll we're hers. " * 3
    assert make_question(chunk(text), Rarity(), 0) is None
    kept = make_question(chunk(f"{text} The moon's harbour kettle sings."), Rarity(), 0)
    assert kept is not None
    assert set(words(kept.text)) <= {"moon's", "harbour", "kettle", "sings"}


def test_short_chunks_give_no_question(tmp_path: Path) -> None:
    with pytest.raises(NothingToAskAbout, match="of the 2 embedded chunks: all are shorter"):
        made(tmp_path, chunks_of(["Tea!", "More tea!"]))


def test_an_empty_corpus_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NothingToAskAbout, match="run `kedro run --pipeline=feature`"):
        made(tmp_path, [])


def test_what_a_model_writes_takes_the_place_of_known_items(tmp_path: Path) -> None:
    first = made(tmp_path / "a", chunks_of(TEXTS[:2]), count=2)

    def writer(chunks: Sequence[ChunkText]) -> list[TestQuestion | str]:
        return [build("written", (f"What of {c.id}?", ""), c) for c in chunks]

    store = open_store(tmp_path / "b", chunks_of(TEXTS))
    found = build_test_set(store, first.questions, count=2, seed=0, writer=writer)
    again = build_test_set(store, found.questions, count=2, seed=0, writer=writer)
    store.close()
    assert [q.type for q in found.questions].count("written") == 1
    assert (again.questions, again.new) == (found.questions, 0)


def test_a_model_writes_to_chunks_that_have_known_items(tmp_path: Path) -> None:
    store = open_store(tmp_path, chunks_of(TEXTS))
    first = build_test_set(store, (), count=10, seed=0)
    found = build_test_set(
        store,
        first.questions,
        count=4,
        seed=0,
        writer=lambda chunks: [build("written", (f"What of {c.id}?", ""), c) for c in chunks],
    )
    store.close()
    assert len(first.questions) == len(TEXTS)
    assert [q.type == "written" for q in found.questions] == [True, True, False, False]
    assert len({q.chunk_id for q in found.questions}) == len(TEXTS)


def test_a_model_that_writes_nothing_leaves_known_items(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def writer(chunks: Sequence[ChunkText]) -> list[str]:
        asked.append([chunk.id for chunk in chunks])
        return ["EndpointDown"] * len(chunks)

    store = open_store(tmp_path, chunks_of(TEXTS))
    found = build_test_set(store, (), count=4, seed=0, writer=writer)
    again = build_test_set(store, found.questions, count=4, seed=0, writer=writer)
    store.close()
    assert found.unwritten == {"EndpointDown": 2}
    assert len(found.questions) == len(TEXTS)
    # The same chunks are tried again, as others would change the test set with every run.
    assert asked[0] == asked[1]
    assert again.questions == found.questions


def test_a_test_set_comes_back_from_json(tmp_path: Path) -> None:
    questions = list(made(tmp_path, chunks_of(TEXTS)).questions)
    assert from_json(to_json(questions)) == questions
    assert from_json(None) == []


def test_the_version_names_what_is_expected(tmp_path: Path) -> None:
    questions = list(made(tmp_path, chunks_of(TEXTS)).questions)
    changed = [replace(questions[0], expected=("other",)), *questions[1:]]
    assert version_of(changed) != version_of(questions)


@pytest.mark.parametrize("recorded", [{}, {"format": 9}, {"format": 1, "questions": [{"id": 1}]}])
def test_an_unreadable_test_set_names_the_remedy(recorded: dict[str, object]) -> None:
    with pytest.raises(UnreadableQuestions, match="delete its newest version"):
        from_json(recorded)
