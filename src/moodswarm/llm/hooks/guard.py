"""Stops a call before it is sent, or withholds its answer."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from moodswarm.llm.errors import GuardRefused
from moodswarm.llm.hooks.hook import Call, HookOptions
from moodswarm.llm.redaction import has_key


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class GuardOptions(HookOptions):
    """Rules for the prompts and answers that the guard stops.

    Attributes:
        max_prompt_characters: Limit on the characters of all messages together; None for no limit.
        refuse_prompts: Regular expressions; a prompt that matches one of them is not sent.
        withhold_answers: Regular expressions; an answer that matches one of them is withheld.
        withhold_keys: Whether an answer that contains a key is withheld.
    """

    name: Literal["guard"] = "guard"
    max_prompt_characters: int | None = Field(default=400_000, ge=1)
    refuse_prompts: tuple[Pattern, ...] = ()
    withhold_answers: tuple[Pattern, ...] = ()
    withhold_keys: bool = True


class GuardHook:
    """Checks prompts and answers; its errors name the rule that applied, never the text."""

    name = "guard"

    def __init__(self, options: GuardOptions) -> None:
        self._options = options
        self._refused = [re.compile(pattern) for pattern in options.refuse_prompts]
        self._withheld = [re.compile(pattern) for pattern in options.withhold_answers]

    def before(self, call: Call) -> None:
        """Refuse a prompt that is too long or matches a pattern."""
        texts = [message.content for message in call.request.messages]
        size, limit = sum(map(len, texts)), self._options.max_prompt_characters
        if limit is not None and size > limit:
            raise GuardRefused(
                f"the prompt has {size:,} characters, but the guard of profile {call.profile!r} "
                f"allows {limit:,}. Send less context, or raise `max_prompt_characters`"
            )
        for pattern in self._refused:
            if any(pattern.search(text) for text in texts):
                raise GuardRefused(
                    f"the prompt matches {pattern.pattern!r} of `refuse_prompts` in profile "
                    f"{call.profile!r}, so it was not sent"
                )

    def after(self, call: Call) -> None:
        """Withhold an answer that contains a key or matches a pattern."""
        if call.response is None:
            return
        text = call.response.text
        if self._options.withhold_keys and has_key(text):
            raise GuardRefused(
                "the answer contains something that looks like a key, so the guard of profile "
                f"{call.profile!r} withholds it (`withhold_keys`)"
            )
        for pattern in self._withheld:
            if pattern.search(text):
                raise GuardRefused(
                    f"the answer matches {pattern.pattern!r} of `withhold_answers` in profile "
                    f"{call.profile!r}, so it is withheld"
                )

    def close(self) -> None:
        """Do nothing: a guard holds nothing."""
