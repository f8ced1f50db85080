"""One call of a language model, as the document store keeps it: what it was for, and its price."""

from dataclasses import dataclass
from datetime import datetime

#: `answered`; `cut_off` at the token limit; `refused` by a guard before it was sent; `failed`;
#: `stopped`: whoever read the stream left before its end.
CALL_STATES = ("answered", "cut_off", "refused", "failed", "stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call from the caller's point of view: its network retries are one call.

    Attributes:
        id: uuid4, text.
        at: When it began, UTC.
        profile: Name in `profiles.yml`.
        provider: Such as `openai`; `model` is what the endpoint was asked for.
        task: What it was for, such as `answer`; empty if nobody said.
        template: Name and version of the prompt template, such as `answer@3f2a91c0`; or empty.
        state: One of `CALL_STATES`.
        prompt_tokens, completion_tokens: As the endpoint counted them; None if it did not.
        cost: In `currency`, by the profile's prices; None if tokens or prices are not known.
        attempts: Requests that were sent, 1 without a retry.
        milliseconds: From the first request to the last token.
        error: Message of what failed, without secrets; else None.
        request_hash: SHA-256 of model, messages and settings.
        prompt, answer: The text, redacted; None unless the profile says to keep it.
    """

    id: str
    at: datetime
    profile: str
    provider: str
    model: str
    task: str = ""
    template: str = ""
    state: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    currency: str = "USD"
    attempts: int = 1
    milliseconds: float = 0.0
    error: str | None = None
    request_hash: str = ""
    prompt: str | None = None
    answer: str | None = None
