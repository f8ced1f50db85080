"""Cheap looks at a page before the parser, whose time some pages make explode."""

import re

from moodswarm.extraction.article import Refused

#: The parser compares every attribute of a tag with every other: 100,000 take it 20 seconds.
_ATTRIBUTES = 2_000
# Possessive, so that a page cannot make the search go back and forth.
_TAG = re.compile(r"<[a-zA-Z](?:[^\"'<>]++|\"[^\"]*+\"|'[^']*+'|<)*+")
_VALUE = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_NAME = re.compile(r"[^\s=\"'/>]++(?:\s*+=\s*+[^\s\"'>]*+)?")
_TAGS = 100_000


def refuse_costly(text: str) -> Refused | None:
    """Refuse what would cost the parser, or all that comes after it, too much."""
    tags = 0
    for tag in _TAG.finditer(text):
        tags += 1
        if tags > _TAGS:
            return Refused("too_large", f"more than {_TAGS:,} tags")
        if tag.end() - tag.start() < 2 * _ATTRIBUTES:
            continue
        if len(_NAME.findall(_VALUE.sub(" ", tag[0]))) > _ATTRIBUTES:
            return Refused("too_large", f"a tag with more than {_ATTRIBUTES:,} attributes")
    return None
