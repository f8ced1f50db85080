"""Logs one line for every call, and at DEBUG also its prompt and answer, redacted."""

import logging
from typing import Literal

from moodswarm.llm.hooks.hook import Call, HookOptions
from moodswarm.llm.redaction import Redactor

logger = logging.getLogger(__name__)


class LogOptions(HookOptions):
    """Options of the log hook; `text` says whether prompts and answers are logged at DEBUG."""

    name: Literal["log"] = "log"
    text: bool = True


class LogHook:
    """Logs task, model, tokens, cost, milliseconds and attempts."""

    name = "log"

    def __init__(self, options: LogOptions, redact: Redactor) -> None:
        self._options, self._redact = options, redact

    def before(self, call: Call) -> None:
        """Log the prompt at DEBUG if `text` is set."""
        if self._options.text and logger.isEnabledFor(logging.DEBUG):
            for message in call.request.messages:
                text = self._redact(message.content)
                logger.debug("llm %s %s: %s", call.id[:8], message.role, text)

    def after(self, call: Call) -> None:
        """Log one line about the call, and its answer at DEBUG if `text` is set."""
        if not logger.isEnabledFor(logging.INFO):
            return
        logger.info(
            "llm %s %s of %s: %s, %s, %.0f ms, %s",
            call.id[:8],
            call.request.task or "call",
            call.model,
            self._outcome(call),
            _tokens(call),
            call.milliseconds,
            "1 attempt" if call.attempts == 1 else f"{call.attempts} attempts",
        )
        if self._options.text and call.response and logger.isEnabledFor(logging.DEBUG):
            logger.debug("llm %s answer: %s", call.id[:8], self._redact(call.response.text))

    def close(self) -> None:
        """Do nothing: log lines are written immediately."""

    def _outcome(self, call: Call) -> str:
        if call.error is not None and not call.stopped:
            return f"{type(call.error).__name__} ({self._redact(str(call.error))})"
        if call.stopped or call.response is None:
            return "stopped by the reader"
        return "answered" if call.response.finish == "stop" else f"ended by {call.response.finish}"


def _tokens(call: Call) -> str:
    if call.response is None:
        return "no tokens counted"
    usage, cost = call.response.usage, call.response.cost
    counts = [
        "?" if count is None else str(count)
        for count in (usage.prompt_tokens, usage.completion_tokens)
    ]
    price = "cost unknown" if cost is None else f"{cost:.6f} {call.currency}"
    return f"{counts[0]} + {counts[1]} tokens, {price}"
