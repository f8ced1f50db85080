"""The fake provider is deterministic, fits schemas, quotes sources, and can be scripted."""

import asyncio
import json
from datetime import date
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from llm.clients import REQUEST, read, scripted
from moodswarm.llm.errors import RequestRefused
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage
from moodswarm.llm.providers.fake import FakeProvider
from moodswarm.llm.providers.schema_instance import instance


class Inner(BaseModel):
    kind: Literal["article", "post"]
    score: float = Field(gt=0.5, lt=0.75)


class Outer(BaseModel):
    name: Annotated[str, Field(min_length=30, max_length=40)]
    count: int = Field(ge=3)
    below: int = Field(lt=0)
    day: date
    flag: bool
    inner: Inner
    items: list[Inner] = Field(min_length=2)
    pair: tuple[int, str]
    maybe: Inner | None
    note: str = "default"


class Endless(BaseModel):
    again: "Endless"


def ask(request: ChatRequest, provider: FakeProvider | None = None) -> ChatResponse:
    return asyncio.run((provider or FakeProvider()).chat(request))


def user(text: str, **options: object) -> ChatRequest:
    return ChatRequest(messages=(Message("user", text),), **options)  # type: ignore[arg-type]


def test_same_request_has_the_same_answer() -> None:
    assert ask(user("a")) == ask(user("a"))


def test_other_request_has_another_answer() -> None:
    assert ask(user("a")).text != ask(user("b")).text
    assert ask(user("a")).text != ask(user("a", temperature=1.0)).text


def test_a_long_dry_run_keeps_the_last_requests_only() -> None:
    provider = FakeProvider()
    for number in range(1_005):
        ask(user(str(number)), provider)
    assert [r.messages[0].content for r in provider.requests[::999]] == ["5", "1004"]


def test_instance_of_a_schema_is_valid() -> None:
    answer = ask(user("tell me", json_schema=Outer.model_json_schema())).text
    found = Outer.model_validate_json(answer)
    assert (found.maybe, len(found.items), found.note) == (None, 2, "default")


def test_instance_has_only_what_is_required() -> None:
    assert json.loads(ask(user("x", json_schema=Outer.model_json_schema())).text).keys() == {
        *("name", "count", "below", "day", "flag", "inner", "items", "pair", "maybe"),
    }


def test_schema_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="never ends"):
        instance(Endless.model_json_schema(), "x")


@pytest.mark.parametrize(
    "prompt",
    [
        '<source id="1" title="A">\nCats purr. They do.\n</source>\n<question>?</question>',
        "[1] Title · link\nCats purr. They do.\n\n[2] Other\nDogs bark.",
    ],
)
def test_first_numbered_source_is_quoted_and_cited(prompt: str) -> None:
    assert ask(user(prompt)).text == "Cats purr. They do [1]."


def test_usage_is_counted_in_words() -> None:
    request = ChatRequest(messages=(Message("system", "be brief"), Message("user", "a b c")))
    assert ask(request, FakeProvider(["one two"])).usage == Usage(5, 2)


def test_answer_keeps_to_max_tokens_and_stop() -> None:
    provider = FakeProvider(["one two three", "one END two"])
    cut = ask(user("x", max_tokens=2), provider)
    assert (cut.text, cut.finish) == ("one two", "length")
    assert ask(user("x", stop=("END",)), provider).text == "one "


def test_replies_are_given_in_order_then_refused() -> None:
    whole = ChatResponse(text="whole", finish="length")
    provider = FakeProvider(["text", whole, lambda r: r.messages[0].content, OSError("broken")])
    assert [ask(user("echo"), provider).text for _ in range(3)] == ["text", "whole", "echo"]
    with pytest.raises(OSError, match="broken"):
        ask(user("x"), provider)
    with pytest.raises(RequestRefused, match="no reply left for request 5"):
        ask(user("x"), provider)
    assert len(provider.requests) == 5


@pytest.mark.parametrize("text", ["one two  three", "", " a\n", "\n\n"])
def test_stream_pieces_make_the_answer(text: str) -> None:
    *pieces, last = asyncio.run(read(scripted([text]), REQUEST))
    assert last.response
    assert "".join(piece.text for piece in pieces) == last.response.text == text
