"""Runs the hooks of a profile, in order before a call and in reverse order after it."""

import dataclasses
import logging
from collections.abc import Sequence

from moodswarm.llm.errors import GuardRefused
from moodswarm.llm.hooks.hook import Call, Hook
from moodswarm.llm.redaction import Redactor

logger = logging.getLogger(__name__)


class HookChain:
    """The hooks of one client.

    A hook whose `before` failed is left out of that call. For every other hook whose `before` ran,
    `after` runs too, however the call ended. Only a hook's first failure of each kind is logged.
    """

    def __init__(self, hooks: Sequence[Hook], redact: Redactor) -> None:
        self._hooks, self._redact = tuple(hooks), redact
        self._said: set[tuple[str, str, str]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the hooks, in order."""
        return tuple(hook.name for hook in self._hooks)

    def before(self, call: Call, ran: list[Hook]) -> None:
        """Run every `before`, and add the hooks that succeeded to `ran`.

        Raises:
            GuardRefused: a guard stops the call; the hooks after it do not run.
        """
        for hook in self._hooks:
            try:
                hook.before(call)
            except GuardRefused:
                raise
            except Exception as error:  # noqa: BLE001 - a hook never fails the call
                self._say(hook, "before", error)
            else:
                ran.append(hook)

    def after(self, call: Call, ran: list[Hook]) -> GuardRefused | None:
        """Run the `after` of all hooks that ran, in reverse order.

        Returns:
            The refusal of a guard that withholds the answer; None if no guard refuses, or if the
            call failed anyway.
        """
        refusal: GuardRefused | None = None
        while ran:
            hook = ran.pop()
            try:
                hook.after(call)
            except GuardRefused as error:
                if call.error is None:
                    refusal = call.error = error
                if call.response is not None:
                    # The tokens were paid for, so they are still counted.
                    call.response = dataclasses.replace(call.response, text="")
            except Exception as error:  # noqa: BLE001 - a hook never fails the call
                self._say(hook, "after", error)
        if refusal is not None:
            refusal.response = call.response
        return refusal

    def close(self) -> None:
        """Close every hook, even if one of them fails."""
        for hook in self._hooks:
            try:
                hook.close()
            except Exception as error:  # noqa: BLE001 - the other hooks have to be closed too
                self._say(hook, "close", error)

    def _say(self, hook: Hook, when: str, error: Exception) -> None:
        kind = type(error).__name__
        if (key := (hook.name, when, kind)) in self._said:
            return
        self._said.add(key)
        logger.warning(
            "hook %s failed in `%s`, %s: %s; the call goes on without it",
            *(hook.name, when, kind, self._redact(str(error))),
        )
