"""Find places to cut source code in any language, by its lines and indentation."""

import re
from itertools import pairwise

from moodswarm.text.blocks import CODE_INDENT, indentation, split_lines

_TOP = 0.02
_PER_INDENT = 0.04
_DEEPEST = 10
_NO_BLANK_LINE = 0.2
_AFTER_OPENING = 0.4
_BEFORE_CLOSING = 0.4
_AFTER_COMMENT = 0.5

_OPENING = (":", "{", "(", "[", "\\", "->", "=>", " then", " do")
_CLOSING = re.compile(r"[)\]}]|(?:else|elif|except|finally|catch|end|fi|done|esac)\b|</")
# A comment or decorator belongs to the line right below it.
_COMMENT = re.compile(r"@|#|//|/\*|\*|--|;|<!--|\"\"\"|'''")


def code_borders(text: str, start: int, end: int) -> list[tuple[int, float]]:
    """Return the line starts inside `text[start:end]`, each with the cost of cutting there.

    The cheapest place is before an unindented line with a blank line above it; more indentation or
    no blank line costs more. It is expensive to separate a header from its body, a comment or
    decorator from what it describes, or a block from its end. Costs are on the same scale as in
    `borders`, and below 1.5.
    """
    lines: list[tuple[int, str, bool]] = []
    offset, blank = start, False
    for line in split_lines(text[start:end]):
        stripped = line.strip()
        if stripped:
            lines.append((offset, line, blank))
        blank = not stripped
        offset += len(line)
    if not lines:
        return []
    margin = min(indentation(line) for _, line, _ in lines)
    return [
        (offset, _cost(line, above, blank, margin))
        for (_, above, _), (offset, line, blank) in pairwise(lines)
    ]


def _cost(line: str, above: str, blank: bool, margin: int) -> float:
    depth = (indentation(line) - margin) / CODE_INDENT
    cost = _TOP + _PER_INDENT * min(depth, _DEEPEST)
    stripped, before = line.lstrip(), above.strip()
    if not blank:
        cost += _NO_BLANK_LINE
        if _COMMENT.match(before):
            cost += _AFTER_COMMENT
    if before.endswith(_OPENING):
        cost += _AFTER_OPENING
    if _CLOSING.match(stripped):
        cost += _BEFORE_CLOSING
    return cost
