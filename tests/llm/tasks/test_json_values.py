"""JSON is found among whatever a model says around it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodswarm.llm.tasks.json_values import find_values
from moodswarm.llm.tasks.thinking import AnswerStream, without_thinking

WANTED = {"answer": "x", "sources": [1, 2]}
JSON = json.dumps(WANTED)


def first(text: str) -> tuple[Any, bool] | None:
    found = next(find_values(text), None)
    return found and (found.value, found.repaired)


@pytest.mark.parametrize(
    "text",
    [
        JSON,
        f"  {JSON}\n",
        f"Sure! Here it is:\n```json\n{JSON}\n```\nAnything else?",
        f"```\n{JSON}\n```",
        f"```json\n{JSON}",
        f"The answer is {JSON}, I think {{sic}}.",
        f'<think>Maybe {{"answer": "y"}}?</think>\n{JSON}',
        f'Maybe {{"answer": "y"}}?\n</think>\n{JSON}',
        f'For example {{"answer": "y"}}. And so:\n{JSON}',
    ],
)
def test_the_value_is_found_as_it_stands(text: str) -> None:
    assert first(text) == (WANTED, False)


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "x", "sources": [1, 2],}',
        "{'answer': 'x', 'sources': [1, 2]}",
        '{"answer": "x", "sources": [1, 2]',
        '```json\n{"answer": "x", "sources": [1, 2],\n```',
        '{answer: "x", sources: [1, 2]} Hope that helps!',
    ],
)
def test_broken_json_is_repaired(text: str) -> None:
    assert first(text) == (WANTED, True)


@pytest.mark.parametrize(
    "text",
    ["", "I would rather not say.", '<think>{"answer": "x"}', "42", '"x"', "{", "[" * 20_000],
)
def test_no_value_is_made_up(text: str) -> None:
    assert first(text) is None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:\\ax1 \n`', max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    assert all(isinstance(found.value, dict | list) for found in find_values(text))


def test_prose_about_thinking_tags_stays() -> None:
    text = "Models write <think> and </think> around it."
    assert without_thinking(text) == text


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [
            "<think>a {b}</think>\n\nYes, it is. ",
            "Yes, it is. ",
            "<thin ice> ",
            "  <b>x",
            "<think>a",
        ]
    ),
    st.lists(st.integers(1, 5), min_size=1),
)
def test_a_stream_shows_the_same_as_the_whole(text: str, cuts: list[int]) -> None:
    stream, shown, rest = AnswerStream(), "", text
    for cut in cuts:
        shown, rest = shown + stream.add(rest[:cut]), rest[cut:]
    shown += stream.add(rest) + stream.end()
    assert shown.strip() == without_thinking(text)


def test_a_long_broken_answer_is_not_cut_to_be_repaired() -> None:
    short, long = ('{"a": [' + "1, " * size + "1,]" for size in (1_000, 10_000))
    (found,) = find_values(short)
    assert (len(found.value["a"]), found.repaired) == (1_001, True)
    assert not [*find_values(long)]
