"""The shape of a hook: what may look at every call, before and after.

Hooks run in the order that the profile lists them, `before` forwards, `after` backwards. A hook
that fails is logged and left out; it never fails the call. The exception is `GuardRefused`, which
is what a guard is for.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from moodswarm.llm.limits import Settings
from moodswarm.llm.messages import ChatRequest, ChatResponse


@dataclass(slots=True, kw_only=True)
class Call:
    """One call on its way; `after` finds it completed.

    Attributes:
        id: uuid4, text.
        at: When it began, UTC.
        request: What is asked; the defaults of the profile are filled in.
        response: What was answered; None before, and if it failed.
        error: What failed, else None.
        stopped: Whether the reader of a stream left before its end.
        attempts: Requests sent so far.
        milliseconds: From the first request to the last token; 0 before.
        first_token_milliseconds: Of a stream; else None.
        state: Anything that a hook keeps between `before` and `after`, by the hook's name.
    """

    id: str
    at: datetime
    profile: str
    provider: str
    model: str
    currency: str
    request: ChatRequest
    response: ChatResponse | None = None
    error: BaseException | None = None
    stopped: bool = False
    attempts: int = 0
    milliseconds: float = 0.0
    first_token_milliseconds: float | None = None
    state: dict[str, Any] = field(default_factory=dict)


class Hook(Protocol):
    """Looks at calls; cheap, since every caller waits for it."""

    name: str

    def before(self, call: Call) -> None:
        """Called before the first request; `GuardRefused` stops the call."""
        ...

    def after(self, call: Call) -> None:
        """Called once at the end, however it ended; `GuardRefused` withholds the answer."""
        ...

    def close(self) -> None:
        """Write out what is waiting; closing twice is fine."""
        ...


class HookOptions(Settings):
    """Base of the options of a hook in `profiles.yml`; `name` says which hook it is."""
