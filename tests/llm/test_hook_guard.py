"""The guard: sizes, patterns, keys; its errors never repeat the text."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from llm.clients import REQUEST, scripted
from moodswarm.llm.client import ChatClient, ClientOptions
from moodswarm.llm.errors import GuardRefused
from moodswarm.llm.hooks.guard import GuardHook, GuardOptions
from moodswarm.llm.providers.fake import FakeProvider

SECRET = "sk-abcdefghijklmnopqrstuvwx"


def ask(reply: str = "fine", **options: Any) -> str:
    client = scripted([reply], [GuardHook(GuardOptions(**options))], profile="p")
    return asyncio.run(client.chat(REQUEST)).text


def test_all_else_passes() -> None:
    assert ask(refuse_prompts=("bye",), withhold_answers=("bad",)) == "fine"


def test_prompt_over_the_size_is_refused_before_it_is_sent() -> None:
    with pytest.raises(GuardRefused, match="5 characters.*allows 4.*max_prompt_characters"):
        ask(max_prompt_characters=4)


def test_no_size_lets_all_through() -> None:
    assert ask(max_prompt_characters=None) == "fine"


def test_prompt_that_meets_a_pattern_is_refused() -> None:
    with pytest.raises(GuardRefused, match="'h.llo' of `refuse_prompts` in profile 'p'"):
        ask(refuse_prompts=("h.llo",))


def test_answer_that_meets_a_pattern_is_withheld() -> None:
    with pytest.raises(GuardRefused, match="'f.ne' of `withhold_answers`") as caught:
        ask("so fine", withhold_answers=("f.ne",))
    assert "so fine" not in str(caught.value)


def test_answer_with_a_key_is_withheld() -> None:
    with pytest.raises(GuardRefused, match="looks like a key") as caught:
        ask(f"it is {SECRET}")
    assert SECRET not in str(caught.value)


def test_answer_with_a_key_passes_where_that_is_allowed() -> None:
    assert ask(SECRET, withhold_keys=False) == SECRET


def test_invalid_pattern_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"'\(' is not a regular expression"):
        GuardOptions(refuse_prompts=("(",))


def test_refused_prompt_never_reaches_the_provider() -> None:
    provider = FakeProvider()
    guard = GuardHook(GuardOptions(max_prompt_characters=1))
    client = ChatClient(provider, ClientOptions(model="fake"), [guard])
    with pytest.raises(GuardRefused, match="characters"):
        asyncio.run(client.chat(REQUEST))
    assert provider.requests == []
