"""Patterns of paths to leave out, as in a `.gitignore` at the root of a repository."""

import re
from collections.abc import Iterable
from functools import lru_cache


class IgnoreRules:
    """Decides by the last pattern that matches a path or a folder above it.

    `*` and `?` stay within a name, `**` spans folders, `[a-z]` is a set, a leading `!` takes back.
    A pattern with a `/` before its end is anchored at the root; one that ends with `/` matches
    folders only. Unlike git, `!` also takes back what lies in an ignored folder.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._rules = [_rule(line) for line in patterns if line.strip() and line[0] != "#"]

    def match(self, path: str) -> bool:
        """Return whether a file is ignored; the path is POSIX and relative."""
        ignored = False
        for pattern, verdict in self._rules:
            if pattern.match(path):
                ignored = verdict
        return ignored


@lru_cache(maxsize=1024)
def _rule(line: str) -> tuple[re.Pattern[str], bool]:
    verdict = not line.startswith("!")
    text = line.removeprefix("!").rstrip()
    folder = text.endswith("/")
    body = text.strip("/")
    anchored = "/" in text.rstrip("/")
    start = "" if anchored else "(?:.*/)?"
    end = "/.*" if folder else "(?:/.*)?"
    return re.compile(f"{start}{_regex(body)}{end}\\Z", re.DOTALL), verdict


_TOKEN = re.compile(r"\*\*/|/\*\*\Z|\*+|\?|\[[!^]?\]?[^\]]*\]|.", re.DOTALL)


def _regex(body: str) -> str:
    return "".join(_part(glob) for glob in _TOKEN.findall(body))


def _part(glob: str) -> str:
    if glob == "**/":
        return "(?:.*/)?"
    if glob == "/**":
        return "/.*"
    if glob.startswith("*"):
        return "[^/]*"
    if glob == "?":
        return "[^/]"
    if len(glob) > 1:  # a set; its brackets stay, `!` becomes `^`
        inside = glob[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[^{inside[1:]}]" if inside[0] in "!^" else f"[{inside}]"
    return re.escape(glob)
