"""Clean documents: the text reads the same, without what platforms and editors left in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from moodswarm.records import KINDS
from moodswarm.text.blocks import LineScanner, split_lines
from moodswarm.text.boilerplate import cut_medium_runs, find_boilerplate
from moodswarm.text.characters import repair_characters

EMPTY = "empty"
TOO_SHORT = "too_short"
TOO_LARGE = "too_large"
BINARY = "binary"
#: Reasons for which a document is rejected.
REJECTIONS = (EMPTY, TOO_SHORT, TOO_LARGE, BINARY)


class CleaningParams(BaseModel):
    """Limits and switches of cleaning.

    Attributes:
        max_characters: A longer document is rejected as `too_large`.
        min_characters: A document that is shorter after cleaning is rejected as `too_short`.
        drop_boilerplate: Drop the share prompts, navigation and notices of known platforms.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_characters: int = Field(default=5_000_000, ge=1, le=100_000_000)
    min_characters: int = Field(default=1, ge=1, le=1_000_000)
    drop_boilerplate: bool = True


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A cleaned text.

    Attributes:
        text: Empty if the document is rejected.
        dropped: Number of characters dropped, per reason.
        reason: One of `REJECTIONS`; None if the document is kept.
    """

    text: str
    dropped: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None


def clean_text(content: str, kind: str, params: CleaningParams) -> Cleaned:
    """Clean one document; cleaning the result again changes nothing.

    Repository files and code blocks are kept byte for byte. Elsewhere, characters are repaired
    (see `repair_characters`), line endings become LF, trailing spaces are removed, and several
    blank lines become one.

    Raises:
        ValueError: the kind is unknown; the message lists the known ones.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; expected one of {', '.join(KINDS)}")
    if len(content) > params.max_characters:
        return Cleaned("", reason=TOO_LARGE)
    if kind != "repository":
        text, dropped = _clean_prose(content, params.drop_boilerplate)
    elif "\0" in content:
        return Cleaned("", reason=BINARY)
    else:
        text, dropped = content, {}
    if not text or text.isspace():
        return Cleaned("", dropped, EMPTY)
    if len(text) < params.min_characters:
        return Cleaned("", dropped, TOO_SHORT)
    return Cleaned(text, dropped)


def _clean_prose(text: str, drop: bool) -> tuple[str, dict[str, int]]:
    """Clean until nothing changes: once a line is dropped, its neighbours can turn into code."""
    dropped: Counter[str] = Counter()
    while True:
        cleaned = _clean_once(text, drop, dropped)
        if cleaned == text:
            return text, dict(dropped)
        text = cleaned


def _clean_once(text: str, drop: bool, dropped: Counter[str]) -> str:
    scanner = LineScanner()
    lines: list[str] = []
    first = True
    for raw in split_lines(text):
        # A later line can show that a blank line is inside code, so `_join` handles blank lines.
        as_is = scanner.is_code(raw) or not raw.strip(" \t\r\n")
        for line in [raw] if as_is else _repair(raw, first, drop, dropped):
            scanner.push(line)
            lines.append(line)
            first = first and not line.strip()
    prose = [
        None if kind.is_code else line.rstrip(" \t\r\n")
        for line, kind in zip(lines, scanner.kinds, strict=True)
    ]
    if drop:
        for index, reason in find_boilerplate(prose).items():
            dropped[reason] += len(prose[index] or "")
            prose[index] = ""
    return _join(lines, prose)


def _repair(raw: str, first: bool, drop: bool, dropped: Counter[str]) -> list[str]:
    """Repair a line of prose; it can become several, as some unusual characters end a line."""
    line = repair_characters(raw.rstrip("\r\n"))
    if drop:
        line, cut = cut_medium_runs(line, first)
        if cut:
            dropped.update(cut)
    return [f"{part}\n" for part in line.split("\n")]


def _join(lines: Sequence[str], prose: Sequence[str | None]) -> str:
    """Join code lines as they are, and prose lines with several blank lines reduced to one."""
    parts: list[str] = []
    blank = code = False
    for raw, line in zip(lines, prose, strict=True):
        if line == "":
            blank = True
            continue
        if blank and parts:
            parts.append("\n")
        blank, code = False, line is None
        parts.append(raw if line is None else f"{line}\n")
    text = "".join(parts)
    return text if code else text.removesuffix("\n")
