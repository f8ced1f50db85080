"""What can go wrong with a language model; each message names the offender and the remedy."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodswarm.llm.messages import ChatResponse


class LlmError(Exception):
    """Base of all errors of this package; never carries a key."""


class ProfileError(LlmError, ValueError):
    """A profile is missing, names an unknown provider, or lacks its key or package."""


class KeyRefused(LlmError):
    """The endpoint refuses the key (401, 403)."""


class RequestRefused(LlmError):
    """The endpoint refuses the request itself (other 4xx): sending it again cannot help."""


class QuotaSpent(RequestRefused):
    """The account has no money or quota left (402): no other request fares better."""


class EndpointDown(LlmError):
    """Nothing answers at the address, or not in time, after all retries."""


class EndpointOverloaded(LlmError):
    """429 or 5xx after all retries."""


class AnswerCutOff(LlmError):
    """The answer met `max_tokens` before its end."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class AnswerUnusable(LlmError):
    """No answer had the shape that was asked for, after all re-asking."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class GuardRefused(LlmError):
    """A guard stopped the call before it was sent, or withheld its answer.

    Attributes:
        response: What was withheld, without its text, since it is paid for; None if nothing was.
    """

    response: "ChatResponse | None" = None


class BudgetSpent(LlmError):
    """The budget in money or tokens does not allow another call."""
