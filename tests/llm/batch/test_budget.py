"""A budget is never exceeded, and reports what was spent."""

import asyncio

import pytest

from llm.chats import ASK, Crowd, Replies
from moodswarm.llm.batch.budget import Budget
from moodswarm.llm.errors import BudgetSpent, EndpointDown, ProfileError
from moodswarm.llm.limits import Price
from moodswarm.llm.messages import ChatRequest, ChatResponse, Message, Usage

PRICE = Price(prompt_per_million=1_000_000, completion_per_million=2_000_000)


def request(text: str = "why?", max_tokens: int | None = 50) -> ChatRequest:
    return ChatRequest(messages=(Message("user", text),), max_tokens=max_tokens)


def test_tokens_are_counted_until_no_call_fits() -> None:
    budget, chat = Budget(tokens=100), Replies(*["x"] * 9)
    for _ in range(3):
        asyncio.run(budget.watch(chat).chat(request()))
    with pytest.raises(BudgetSpent, match=r"is spent: 45 of 100 tokens, .* can take 61 tokens"):
        asyncio.run(budget.watch(chat).chat(request()))
    assert len(chat.requests) == 3


def test_money_is_counted_by_the_price() -> None:
    budget = Budget(money=150, price=PRICE)
    asyncio.run(budget.watch(Replies("x")).chat(request()))
    assert budget.spent.money == 10 + 2 * 5
    assert str(budget) == "20 of 150 USD"


def test_money_without_a_price_is_refused_at_once() -> None:
    with pytest.raises(ProfileError, match=r"needs the price of the model.*prompt_per_million"):
        Budget(money=1)


@pytest.mark.parametrize("limits", [{}, {"tokens": -1}, {"money": -0.5, "price": PRICE}])
def test_a_budget_without_a_limit_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="set at least one, from 0 up"):
        Budget(**limits)  # type: ignore[arg-type]


def test_a_request_without_a_limit_cannot_be_planned() -> None:
    with pytest.raises(ProfileError, match="Set `max_tokens`"):
        asyncio.run(Budget(tokens=9).watch(Replies()).chat(request(max_tokens=None)))


def test_a_budget_is_used_up_but_not_overspent() -> None:
    async def spend() -> tuple[Budget, Crowd]:
        # Each call may take 61 tokens but takes 15, so near the end only one call fits at a time.
        budget, crowd = Budget(tokens=300), Crowd()
        chat = budget.watch(crowd)
        await asyncio.gather(*(chat.chat(request()) for _ in range(50)), return_exceptions=True)
        return budget, crowd

    budget, crowd = asyncio.run(spend())
    assert 300 - 61 <= budget.spent.tokens <= 300
    assert crowd.most_at_once == 4


def test_a_call_that_fails_gives_back_what_was_set_aside() -> None:
    budget = Budget(tokens=70)
    chat = budget.watch(Replies(EndpointDown("gone"), "x"))
    with pytest.raises(EndpointDown, match="gone"):
        asyncio.run(chat.chat(request()))
    asyncio.run(chat.chat(request()))
    assert budget.spent.tokens == 15


def test_tokens_that_the_endpoint_does_not_count_are_estimated() -> None:
    budget = Budget(tokens=1_000)
    asyncio.run(budget.watch(Replies(ChatResponse(text="x" * 30))).chat(request("y" * 300)))
    assert budget.spent.tokens == (100 + 10) + 11


def test_an_estimate_learns_from_what_prompts_did_take() -> None:
    budget = Budget(tokens=1_000)
    chat = budget.watch(Replies(ChatResponse(text="x", usage=Usage(300, 1))))
    asyncio.run(chat.chat(request("y" * 300)))
    with pytest.raises(BudgetSpent, match="can take 760 tokens"):
        asyncio.run(chat.chat(request("y" * 700)))


def test_a_stream_that_is_left_early_is_booked() -> None:
    async def read() -> None:
        deltas = budget.watch(Replies("one two three")).stream(request())
        await anext(aiter(deltas))
        await deltas.aclose()  # type: ignore[attr-defined]

    budget = Budget(tokens=1_000)
    asyncio.run(read())
    assert 11 < budget.spent.tokens < 20


def test_asking_again_counts_too() -> None:
    budget = Budget(tokens=100)
    with pytest.raises(BudgetSpent, match="15 of 100"):
        asyncio.run(ASK.run(budget.watch(Replies("no", '{"answer": "so"}')), text="w" * 90))
