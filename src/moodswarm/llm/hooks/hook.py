"""The protocol of a hook, which looks at every call before and after it.

`before` runs in the order in which the profile lists the hooks, `after` in the reverse order. A
hook that fails is logged and left out, and the call goes on. The only exception is `GuardRefused`,
with which a guard stops a call on purpose.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from moodswarm.llm.limits import Settings
from moodswarm.llm.messages import ChatRequest, ChatResponse


@dataclass(slots=True, kw_only=True)
class Call:
    """One call; when `after` runs, it is complete.

    Attributes:
        id: A uuid4 as text.
        at: When the call began, in UTC.
        request: The request, with the defaults of the profile filled in.
        response: The answer; None before it has come, and if the call failed.
        error: The error; None if there was none.
        stopped: Whether the reader of a stream left before its end.
        attempts: Requests sent so far.
        milliseconds: Time from the first request to the last token; 0 until the call has ended.
        first_token_milliseconds: Time from the first request to the first token of a stream; None
            for an answer in one piece.
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
    """Looks at calls; it has to be fast, because every caller waits for it."""

    name: str

    def before(self, call: Call) -> None:
        """Called before the first request; `GuardRefused` stops the call."""
        ...

    def after(self, call: Call) -> None:
        """Called once at the end, even of a failed call; `GuardRefused` withholds the answer."""
        ...

    def close(self) -> None:
        """Write out whatever is waiting; closing twice is fine."""
        ...


class HookOptions(Settings):
    """Base class for the options of a hook in `profiles.yml`; `name` says which hook it is."""
