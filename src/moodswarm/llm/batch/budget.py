"""A budget in money or tokens: a call begins only if the budget can pay for it.

Before a call, the most that it can cost is set aside: its prompt, estimated from its length, and
all of `max_tokens`. After the call, its real cost is booked. A call for which too little is left
waits for the calls in flight, because most of them cost less than was set aside. If no call is in
flight, the budget is spent. A budget can therefore be exceeded only by the error in the estimated
prompts of the calls in flight, and the estimate improves with every call.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from moodswarm.llm.chat import Chat, closing
from moodswarm.llm.errors import BudgetSpent, GuardRefused, ProfileError
from moodswarm.llm.limits import Price
from moodswarm.llm.messages import ChatRequest, ChatResponse, Delta, Usage

# English has about 4.5 bytes per token, code 3, and other scripts 2 to 3 (in UTF-8).
_TOKENS_PER_BYTE = 1 / 3
# Tokens for the marks that a chat template sets around each message.
_TOKENS_PER_MESSAGE = 10
# In shorter prompts, the marks around the text would distort the rate of tokens per byte.
_LEARN_FROM_BYTES = 300
# Through rounding, a sum of floats may exceed a limit that it should meet exactly.
_PRECISION = 1e-9


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens and money; money is 0 if there is no price."""

    tokens: int = 0
    money: float = 0.0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.tokens + other.tokens, self.money + other.money)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.tokens - other.tokens, self.money - other.money)


class Budget:
    """The most that all calls on one event loop may cost together.

    Args:
        money: Limit in the currency of `price`; None for no limit.
        tokens: Limit on the tokens of prompts and answers together; None for no limit.
        price: Price of the model's tokens; a budget in money needs it.

    Attributes:
        spent: The amount spent so far. A call that failed or was cancelled counts as nothing,
            because the endpoint does not report what the call cost.

    Raises:
        ProfileError: a budget in money for a model without a price.
        ValueError: no limit at all, or one below zero.
    """

    def __init__(
        self,
        *,
        money: float | None = None,
        tokens: int | None = None,
        price: Price | None = None,
    ) -> None:
        if (money is None and tokens is None) or (money or 0) < 0 or (tokens or 0) < 0:
            raise ValueError(
                f"the budget has money={money} and tokens={tokens}; set at least one, from 0 up"
            )
        if money is not None and price is None:
            raise ProfileError(
                "a budget in money needs the price of the model. Add a `price` to the profile"
                " (prompt_per_million, completion_per_million), or set a budget in tokens"
            )
        self.money, self.tokens, self.price = money, tokens, price
        self.spent = Amount()
        self._reserved = Amount()
        self._in_flight = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._rate = _TOKENS_PER_BYTE

    def __str__(self) -> str:
        limits = [f"{self.spent.tokens} of {self.tokens} tokens"] * (self.tokens is not None)
        if self.money is not None and self.price is not None:
            limits.append(f"{self.spent.money:.4g} of {self.money:.4g} {self.price.currency}")
        return " and ".join(limits)

    def watch(self, chat: Chat) -> Chat:
        """Return a client that asks `chat` within this budget."""
        return _Watched(chat, self)

    @asynccontextmanager
    async def reserve(self, request: ChatRequest) -> AsyncIterator["Reservation"]:
        """Set aside the most that a call can cost, until the end of the block.

        Raises:
            BudgetSpent: the budget has no room left for the call.
            ProfileError: the request has no `max_tokens`, so the most it can cost is unknown.
        """
        most = self._most(request)
        while not self._fits(most):
            if not self._in_flight:
                raise BudgetSpent(
                    f"the budget is spent: {self}, and one more call can take {most.tokens} tokens"
                    + (f" and {most.money:.4g}" if self.money is not None else "")
                )
            freed = asyncio.get_running_loop().create_future()
            self._waiting.append(freed)
            await freed
        self._reserved, self._in_flight = self._reserved + most, self._in_flight + 1
        try:
            yield Reservation(self, request)
        finally:
            self._reserved, self._in_flight = self._reserved - most, self._in_flight - 1
            for freed in self._drain():
                freed.set_result(None)

    def _drain(self) -> Iterator[asyncio.Future[None]]:
        waiting, self._waiting = self._waiting, []
        return (freed for freed in waiting if not freed.done())

    def _fits(self, most: Amount) -> bool:
        whole = self.spent + self._reserved + most
        return (self.tokens is None or whole.tokens <= self.tokens) and (
            self.money is None or whole.money <= self.money * (1 + _PRECISION)
        )

    def _most(self, request: ChatRequest) -> Amount:
        if request.max_tokens is None:
            raise ProfileError(
                "a budget needs to know the most that a call can cost. Set `max_tokens`"
            )
        return self._amount(Usage(self._prompt_tokens(request), request.max_tokens))

    def _amount(self, usage: Usage) -> Amount:
        money = (self.price.cost(usage) if self.price else None) or 0.0
        return Amount((usage.prompt_tokens or 0) + (usage.completion_tokens or 0), money)

    def _prompt_tokens(self, request: ChatRequest) -> int:
        return int(_prompt_bytes(request) * self._rate) + (
            _TOKENS_PER_MESSAGE * len(request.messages)
        )

    def _book(self, request: ChatRequest, usage: Usage, text: str) -> None:
        """Book a call; if the endpoint did not count its tokens, they are estimated."""
        prompt, answer = usage.prompt_tokens, usage.completion_tokens
        if prompt is None:
            prompt = self._prompt_tokens(request)
        elif (size := _prompt_bytes(request)) >= _LEARN_FROM_BYTES:
            self._rate = max(self._rate, min(1.0, prompt / size))
        if answer is None:
            answer = int(len(text.encode(errors="replace")) * _TOKENS_PER_BYTE) + 1
        self.spent += self._amount(Usage(prompt, answer))


@dataclass(frozen=True, slots=True)
class Reservation:
    """The amount that is set aside for one call."""

    budget: Budget
    request: ChatRequest

    def settle(self, response: ChatResponse) -> None:
        """Book what the call really cost."""
        self.budget._book(self.request, response.usage, response.text)


@dataclass(frozen=True)
class _Watched:
    """A client whose calls have to stay within a budget."""

    _chat: Chat
    _budget: Budget

    @property
    def model(self) -> str:
        return self._chat.model

    async def chat(self, request: ChatRequest) -> ChatResponse:
        async with self._budget.reserve(request) as reservation:
            try:
                response = await self._chat.chat(request)
            except GuardRefused as refusal:
                if refusal.response is not None:
                    reservation.settle(refusal.response)
                raise
            reservation.settle(response)
            return response

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        said = ""
        response = None
        async with self._budget.reserve(request) as reservation:
            try:
                async with closing(self._chat.stream(request)) as deltas:
                    async for delta in deltas:
                        said += delta.text
                        response = delta.response or response
                        yield delta
            finally:
                # A reader who leaves early still pays for the part that was written.
                if said or response:
                    reservation.settle(response or ChatResponse(text=said))


def _prompt_bytes(request: ChatRequest) -> int:
    return sum(len(message.content.encode(errors="replace")) for message in request.messages)
