"""Errors of language models; each message says what is wrong and what to do."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodswarm.llm.messages import ChatResponse


class LlmError(Exception):
    """Base class of all errors in this package; its message never contains a key."""


class ProfileError(LlmError, ValueError):
    """A profile is missing, names an unknown provider, or lacks its key or package."""


class KeyRefused(LlmError):
    """The endpoint refuses the key (401, 403)."""


class RequestRefused(LlmError):
    """The endpoint refuses the request itself (other 4xx), so sending it again cannot help."""


class QuotaSpent(RequestRefused):
    """The account has no money or quota left (402), so no other request would succeed."""


class EndpointDown(LlmError):
    """Even after all retries, the address did not answer, or not in time."""


class EndpointOverloaded(LlmError):
    """Even after all retries, the endpoint answers with 429 or 5xx."""


class AnswerCutOff(LlmError):
    """The answer reached `max_tokens` before its end."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class AnswerUnusable(LlmError):
    """Even after asking again, no answer had the required shape."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class GuardRefused(LlmError):
    """A guard stopped the call before it was sent, or withheld its answer.

    Attributes:
        response: The withheld response without its text, kept because its tokens were paid for;
            None if the call was not sent.
    """

    response: "ChatResponse | None" = None


class BudgetSpent(LlmError):
    """The budget in money or tokens does not allow another call."""
