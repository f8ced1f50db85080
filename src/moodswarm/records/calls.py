"""One call to a language model, as stores keep it: its purpose, its cost and how it ended."""

from dataclasses import dataclass
from datetime import datetime

#: `answered`; `cut_off` (at the token limit); `refused` (by a guard, before it was sent); `failed`;
#: `stopped` (the caller closed the stream before it ended).
CALL_STATES = ("answered", "cut_off", "refused", "failed", "stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call from the caller's point of view: a request and its retries are one call.

    Attributes:
        id: A uuid4, as text.
        at: When the call began, in UTC.
        profile: Name of the profile in `profiles.yml`.
        provider: Name of the provider, such as `openai`.
        model: The name that was sent to the endpoint.
        task: The purpose of the call, such as `answer`; empty if the caller named none.
        template: Name and version of the prompt template, such as `answer@3f2a91c0`; empty if
            there was no template.
        state: One of `CALL_STATES`.
        prompt_tokens, completion_tokens: Number of tokens as the endpoint counted them; None if it
            did not.
        cost: The cost in `currency`, at the profile's prices; None if tokens or prices are unknown.
        attempts: Number of requests sent; 1 if nothing was retried.
        milliseconds: Time from the first request to the last token.
        error: The error message without secrets, if the call failed; otherwise None.
        request_hash: SHA-256 of model, messages and settings.
        prompt, answer: The redacted texts; None unless the profile keeps texts.
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
