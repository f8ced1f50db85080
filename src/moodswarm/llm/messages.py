"""Requests to a language model and its answers, in the same form for every provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from moodswarm.records.ids import digest

Role = Literal["system", "user", "assistant"]

#: Why a model stopped: it was done, it reached `max_tokens`, or its provider withheld the rest.
Finish = Literal["stop", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """The request that one call sends.

    Attributes:
        messages: At least one message; only the first may be a system message.
        max_tokens: Maximum number of tokens in the answer; None for the profile's value.
        temperature: Sampling temperature; None for the profile's value.
        seed: Random seed; sent if the provider accepts one.
        stop: Texts that end the answer.
        json_schema: JSON Schema that the answer should follow; sent if the provider accepts one.
        task: What the call is for, such as `answer`; shown in logs, spans and stored calls.
        template: Name and version of the prompt template.
    """

    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    task: str = ""
    template: str = ""

    def content_hash(self, model: str) -> str:
        """Return a SHA-256 over the model and everything that changes the answer."""
        return digest(
            {
                "model": model,
                "messages": [[message.role, message.content] for message in self.messages],
                "max_tokens": self.max_tokens,
                "temperature": self.temperature,
                "seed": self.seed,
                "stop": list(self.stop),
                "json_schema": self.json_schema,
            }
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them; None if it reported no number."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @classmethod
    def counted(cls, prompt: object, completion: object) -> "Usage":
        """Return the usage that an endpoint reports; any value that is not a count becomes None."""
        prompt_tokens, completion_tokens = (
            value if isinstance(value, int) and value >= 0 else None
            for value in (prompt, completion)
        )
        return cls(prompt_tokens, completion_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatResponse:
    """A whole answer.

    Attributes:
        text: The answer.
        finish: Why the model stopped; `length` means that the answer is cut off.
        usage: Tokens used.
        model: The model's name as the endpoint reports it.
        attempts: Requests that were sent for this answer.
        cost: Cost at the profile's price, in the price's currency; None if unknown.
    """

    text: str
    finish: Finish = "stop"
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    attempts: int = 1
    cost: float | None = None


def encodable(text: str) -> str:
    """Return the text with U+FFFD in place of lone surrogates, which cannot be printed or stored.

    JSON can contain them: some endpoints cut an answer in the middle of an emoji.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer that is being written; the last one carries the whole response."""

    text: str
    response: ChatResponse | None = None
