"""Leaves out what a model thought aloud before its answer, between tags such as `<think>`."""

import re

_TAGS = ("<think>", "<thinking>", "<thought>", "<reasoning>")
_NAMES = "think|thinking|thought|reasoning"
_THINKING = re.compile(rf"\A(?:\s*<({_NAMES})>.*?</\1>)+\s*", re.DOTALL | re.IGNORECASE)
_UNENDED = re.compile(rf"\A\s*<(?:{_NAMES})>.*\Z", re.DOTALL | re.IGNORECASE)
# Some servers do not return the opening tag, because their chat template put it into the prompt.
_UNBEGUN = re.compile(
    rf"\A.*^[ \t]*</(?:{_NAMES})>[ \t]*$", re.DOTALL | re.IGNORECASE | re.MULTILINE
)


def without_thinking(text: str) -> str:
    """Return the answer without the thinking before it."""
    for thought in (_THINKING, _UNBEGUN, _UNENDED):
        text = thought.sub("", text, count=1)
    return text.strip()


class AnswerStream:
    """Leaves out the thinking at the beginning of an answer that comes in pieces."""

    def __init__(self) -> None:
        self._waiting: str | None = ""

    def add(self, piece: str) -> str:
        """Return the text that can be shown after one more piece."""
        if self._waiting is None:
            return piece
        self._waiting += piece
        begun = self._waiting.lstrip().lower()
        if any(begun.startswith(tag) for tag in _TAGS):
            return self._pass() if _THINKING.match(self._waiting) else ""
        return "" if any(tag.startswith(begun) for tag in _TAGS) else self._pass()

    def end(self) -> str:
        """Return the text that remains to be shown; thinking that never ended is left out."""
        return "" if self._waiting is None else _UNENDED.sub("", self._pass())

    def _pass(self) -> str:
        waiting, self._waiting = self._waiting or "", None
        return _THINKING.sub("", waiting, count=1).lstrip()
