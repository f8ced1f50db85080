"""Leaves out parameters that an endpoint refuses, or sends them under another name."""

import logging
import re
from typing import Any

logger = logging.getLogger(__name__)

_COMPLAINT = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed"
    r"|\bextra\b|deprecated|cannot be used|may not be",
    re.IGNORECASE,
)


class Tolerance:
    """Remembers the parameters that an endpoint has refused, so that each is refused only once.

    Some servers do not know `stream_options`, and some models do not accept `temperature`. An
    answer without such a parameter is still an answer.

    Args:
        optional: Parameters that may be left out.
        renamed: Parameters that have another name elsewhere.
    """

    def __init__(self, optional: tuple[str, ...], renamed: dict[str, str] | None = None) -> None:
        self._optional, self._renamed = optional, renamed or {}
        self._refused: set[str] = set()

    def fit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a request without what was refused before."""
        fitted = {}
        for name, value in body.items():
            if name not in self._refused:
                fitted[name] = value
            elif name in self._renamed:
                fitted[self._renamed[name]] = value
        return fitted

    def learn(self, complaint: str, sent: dict[str, Any]) -> bool:
        """Find the refused parameter in a complaint; return whether another try makes sense."""
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
