"""Leaves out parameters that an endpoint refuses, or sends them in another way."""

import logging
import re
from collections.abc import Sequence
from typing import Any

logger = logging.getLogger(__name__)

_COMPLAINT = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed"
    r"|\bextra\b|deprecated|cannot be used|may not be",
    re.IGNORECASE,
)
# Matches, for example, `System role not supported` (chat templates of Gemma and others),
# `'messages[0].role' does not support 'system'`, `Developer instruction is not enabled` and
# `roles must alternate user/assistant`.
_NO_SYSTEM = re.compile(
    r"\b(?:system|developer)['\"`]* (?:role|message|prompt|instruction)s?\b.{0,80}?"
    r"\b(?:unsupported|(?:not|n't) (?:\w+ )?(?:support|enabled|allowed|accept|permitted))"
    r"|\b(?:unsupported|not (?:support|allow|accept|permit)|unknown|invalid)\w* .{0,40}?"
    r"(?:\bsystem (?:role|message|prompt|instruction)|(?<=['\"`])system\b)"
    r"|\broles must alternate|\balternate between user and assistant",
    re.IGNORECASE | re.DOTALL,
)


class Tolerance:
    """Remembers the parameters that an endpoint has refused, so that each is refused only once.

    Some servers do not know `stream_options`, and some models do not accept `temperature`. An
    answer without such a parameter is still an answer. Some chat templates have no system role; the
    text of the system message is then sent at the beginning of the user's message.

    Args:
        optional: Parameters that may be left out.
        renamed: Parameters that some endpoints accept only under another name, with that name.
    """

    def __init__(self, optional: tuple[str, ...], renamed: dict[str, str] | None = None) -> None:
        self._optional, self._renamed = optional, renamed or {}
        self._refused: set[str] = set()
        self._system_role = True

    def fit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a request without the parameters that were refused before."""
        fitted = {}
        for name, value in body.items():
            if name not in self._refused:
                fitted[name] = value
            elif name in self._renamed:
                fitted[self._renamed[name]] = value
        if not self._system_role:
            fitted["messages"] = without_system(fitted["messages"])
        return fitted

    def learn(self, complaint: str, sent: dict[str, Any]) -> bool:
        """Find the refused parameter in a complaint; return whether another try makes sense."""
        if self.learn_roles(complaint, sent):
            return True
        if not _COMPLAINT.search(complaint):
            return False
        for name in (*self._optional, *self._renamed):
            if name in sent and re.search(rf"\b{name}\b", complaint):
                if name not in self._refused:
                    self._refused.add(name)
                    other = self._renamed.get(name)
                    remedy = f"is sent as {other!r}" if other else "is left out"
                    logger.warning("the endpoint does not accept %r; it %s", name, remedy)
                return True
        return False

    def learn_roles(self, complaint: str, sent: dict[str, Any]) -> bool:
        """Return whether a complaint is about the system message that was sent, and remember it."""
        has_system = any(message["role"] == "system" for message in sent.get("messages", ()))
        if not (has_system and _NO_SYSTEM.search(complaint)):
            return False
        if self._system_role:
            self._system_role = False
            logger.warning(
                "the endpoint does not accept a system message; its text is sent at the beginning "
                "of the user's message"
            )
        return True


def without_system(messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return the messages with the system message's text at the start of the user's message."""
    first, *rest = messages
    if first["role"] != "system":
        return [*messages]
    asked = rest.pop(0)["content"] if rest and rest[0]["role"] == "user" else ""
    text = f"{first['content']}\n\n{asked}".rstrip()
    return [{"role": "user", "content": text}, *rest]
