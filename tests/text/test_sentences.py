"""Sentences end in the right place, across languages and layouts."""

import pytest
from hypothesis import given, settings

from moodswarm.text.sentences import split_sentences
from text.strategies import awkward_texts


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@settings(deadline=None)
@given(awkward_texts)
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    end = 0
    for first, last in split_sentences(text):
        assert end <= first < last
        assert not text[end:first].strip()
        assert text[first:last] == text[first:last].strip()
        end = last
    assert not text[end:].strip()


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Jones met Prof. Smith vs. St. John.",
        "She joined the U.S. Army, i.e. the land forces, e.g. tanks.",
        "It cost $3.50 at 5.30 in v1.2.3 of the tool.",
        "J. K. Rowling wrote it.",
        "See Fig. 3 and No. 5 on p. 12.",
        "We had apples, pears, etc. and left.",
        "Mitra et al. (2024) say so.",
        "Read https://example.org/a.b?c=d now.",
        "He left... and came back.",
        '"Really?" she asked.',
        "Yahoo!) is a name.",
    ],
)
def test_one_sentence_stays_whole(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "parts",
    [
        ["It ended at 5 p.m.", "He left."],
        ["No.", "I mean it."],
        ["“Stop!”", "(She did.)", "Then?"],
        ["What?!", "Yes…", "So be it."],
        ["He works at Gull Inc.", "The office is small."],
        ["i went home.", "it was late."],
        ["Great!🎉", "Next one."],
        ["It is known.[1]", "Not by me."],
        ["¿Qué tal?", "¡Bien!"],
        ["كيف حالك؟", "بخير."],
        ["यह अच्छा है।", "हाँ।"],
    ],
)
def test_sentences_end_at_their_stops(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts


def test_chinese_and_japanese_need_no_spaces() -> None:
    assert sentences("你好。「世界！」真的？はい。") == ["你好。", "「世界！」", "真的？", "はい。"]


def test_a_wrapped_line_goes_on() -> None:
    text = "A line that the editor wrapped because it had become too long for the\nwindow. Yes."
    assert sentences(text) == [text[:-5], "Yes."]


def test_a_line_that_the_writer_ended_ends_a_sentence() -> None:
    assert sentences("Life is short\nPlay more") == ["Life is short", "Play more"]


def test_a_short_line_goes_on_if_the_next_begins_in_lower_case() -> None:
    assert sentences("One thing,\nand another") == ["One thing,\nand another"]


def test_headings_and_list_items_are_sentences_of_their_own() -> None:
    text = "# On gulls\nThey fly\n1. High. Fast.\n2. Low\n- far"
    assert sentences(text) == ["# On gulls", "They fly", "1. High.", "Fast.", "2. Low", "- far"]


def test_a_blank_line_ends_a_sentence() -> None:
    assert sentences("and so\n\non it went") == ["and so", "on it went"]


@pytest.mark.parametrize("text", [". " * 20_000, "." * 50_000, "a" + "\n" * 50_000, "(" * 50_000])
@pytest.mark.timeout(10)
def test_long_awkward_texts_are_split_in_linear_time(text: str) -> None:
    assert len(split_sentences(text)) <= len(text)
