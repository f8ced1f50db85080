"""Cleaned text reads the same, and cleaning says what it dropped."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from moodswarm.text.cleaning import CleaningParams, clean_text
from text.strategies import awkward_texts

PARAMS = CleaningParams()


def clean(text: str, kind: str = "article") -> str:
    return clean_text(text, kind, PARAMS).text


@settings(deadline=None, max_examples=300)
@given(awkward_texts)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    again = clean_text(once, "article", PARAMS)
    assert (again.text, dict(again.dropped)) == (once, {})


@settings(deadline=None)
@given(st.text(alphabet="ab \t\n\x0b𝗯\u00a0\u200b~# -", max_size=60))
def test_fenced_code_survives_byte_for_byte(code: str) -> None:
    block = f"```text\n{code}\n```\n"
    assert block in clean(f"Before.\n\n\n\n{block}\n\nAfter.\u00a0")


@settings(deadline=None)
@given(awkward_texts)
def test_repository_files_survive_byte_for_byte(text: str) -> None:
    cleaned = clean_text(text, "repository", PARAMS)
    assert cleaned.text == text or cleaned.reason in ("binary", "empty")


def test_indented_code_survives_byte_for_byte() -> None:
    code = "    x = '\u00a0'  \n    \n\n\t𝘆 = 1\n"
    assert clean(f"Run\u00a0this:\n\n{code}\nDone  ") == f"Run this:\n\n{code}\nDone"


def test_line_endings_in_code_are_kept_and_elsewhere_become_lf() -> None:
    assert clean("a\r\n\r\n```\r\nx\r\n```\r\nb\rc") == "a\n\n```\r\nx\r\n```\r\nb\nc"


def test_punctuation_case_and_paragraphs_are_kept() -> None:
    text = "It's GPT-4o; isn’t it?!\n\n“Yes,” she said – twice…\n\n* one\n* TWO"
    assert clean(text) == text


def test_trailing_spaces_and_runs_of_blank_lines_are_dropped() -> None:
    assert clean("\n\na  \n \t\n\n\nb\n\n") == "a\n\nb"


def test_text_below_a_fence_that_cleaning_uncovers_is_kept_as_code() -> None:
    assert clean("`\u200b``\n𝗮\n") == "```\n𝗮\n"


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        ("", "post", "empty"),
        (" \u00a0\u200b\n", "article", "empty"),
        ("Share this post\n\nCopy link", "article", "empty"),
        (" \n", "repository", "empty"),
        ("x" * 101, "post", "too_large"),
        ("\x7fELF\x00", "repository", "binary"),
    ],
)
def test_a_rejected_document_says_why(content: str, kind: str, reason: str) -> None:
    cleaned = clean_text(content, kind, CleaningParams(max_characters=100))
    assert (cleaned.text, cleaned.reason) == ("", reason)


def test_a_document_below_the_minimum_is_too_short() -> None:
    assert clean_text("tiny", "post", CleaningParams(min_characters=5)).reason == "too_short"


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'tweet'; expected one of article, post, repository"):
        clean_text("x", "tweet", PARAMS)


@pytest.mark.parametrize("values", [{"max_characters": 0}, {"min_characters": 0}, {"max": 1}])
def test_parameters_out_of_bounds_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=next(iter(values))):
        CleaningParams.model_validate(values)


@pytest.mark.parametrize(
    "text",
    [
        "\n" * 50_000,
        "`\u200b``\n" * 5_000,
        "a" + "\u0315\u0300" * 20_000,
        "x\u200e" * 20_000,
        "a" + " " * 100_000 + "b",
        "> " * 30_000,
        "`" * 50_000,
        "\n".join("  " * depth + "- a" for depth in range(300)),
        "Share this post\n" * 3_000,
    ],
    ids=["lines", "fences", "marks", "directions", "spaces", "quotes", "ticks", "nest", "share"],
)
@pytest.mark.timeout(20)
def test_long_awkward_texts_are_cleaned_in_linear_time(text: str) -> None:
    assert clean(clean(text)) == clean(text)
