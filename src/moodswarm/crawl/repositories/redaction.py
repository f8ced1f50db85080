"""Replace passwords, tokens and keys in a text, and leave all other code as it is."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from moodswarm.crawl.repositories.secret_patterns import is_mixed, is_random, rules

REDACTED = "[redacted secret]"

#: A value this long, once found, is replaced wherever else it stands.
_EVERYWHERE = 16

Span = tuple[int, int]


def redact(text: str, path: str) -> tuple[str, int]:
    """Replace the secrets of a text by `[redacted secret]`.

    Found are private keys, tokens of a known form, passwords in addresses, and random values that
    are assigned to a name such as `api_key` or `password`. A password made of plain words is not.

    Args:
        text: A whole file, lines of at most some thousand characters.
        path: Tells whether values stand without quotes, as in YAML or a shell script.

    Returns:
        The clean text and the number of replacements.
    """
    lowered = text.lower()
    spans = [*_key_blocks(text, lowered), *_tokens(text, lowered), *_assigned(text, lowered, path)]
    if not spans:
        return text, 0
    clean, count = _replace(text, spans)
    for value in {text[start:end] for start, end in spans if end - start >= _EVERYWHERE}:
        count += clean.count(value)
        clean = clean.replace(value, REDACTED)
    return clean, count


def _replace(text: str, spans: list[Span]) -> tuple[str, int]:
    parts: list[str] = []
    done = count = 0
    for start, end in sorted(spans):
        if start >= done:
            parts += [text[done:start], REDACTED]
            count += 1
        done = max(done, end)
    return "".join([*parts, text[done:]]), count


# detect-secrets finds the first line of a key; what matters is the block below it.
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----((?:(?!-----).){40,20000})", re.DOTALL
)
_KEY_RUN = re.compile(r"[A-Za-z0-9+/=]{32,}")


def _key_blocks(text: str, lowered: str) -> Iterator[Span]:
    if "private key" not in lowered:
        return
    for match in _KEY_BLOCK.finditer(text):
        runs = [run for run in _KEY_RUN.finditer(match[1]) if is_mixed(run[0])]
        if not runs:
            continue  # code that only looks for the first line of a key
        closed = text.startswith("-----END", match.end(1))
        end = match.end(1) if closed else match.start(1) + runs[-1].end()
        yield match.start(1), end


def _tokens(text: str, lowered: str) -> Iterator[Span]:
    for rule in rules():
        if any(hint in lowered for hint in rule.hints):
            for match in rule.pattern.finditer(text):
                start, end = match.span(rule.group)
                if start < end and rule.accept(text[start:end]):
                    yield start, end


_HINTS = ("key", "passw", "passphrase", "pwd", "secret", "token", "contrase")
_NAME = (
    r"(?i:(?:api|auth|service|account|db|database|priv|private|client|access|signing|encryption)"
    r"[_-]?key|passw(?:or)?d|passphrase|pwd|secret|token|contrase)\w{0,30}"
)
_TYPE = r"(?:\s?:\s?[\w.\[\]| ]{1,30})?"
_QUOTED = re.compile(
    rf"""{_NAME}["'`\]]{{0,2}}{_TYPE}[ \t]*(?::=|=>|={{1,3}}|[:(])[ \t]*[rbfu@]{{0,2}}"""
    r"""(["'`])([^"'`\s]{12,200})\1"""
)
_BARE = re.compile(rf"""{_NAME}[ \t]*[=:][ \t]*()([^\s"'`#;,]{{12,200}})(?=\s|\Z)""")
_BARE_NAMES = frozenset(["dockerfile", "makefile", "procfile", "containerfile"])
_BARE_SUFFIXES = frozenset(
    ".yml .yaml .toml .ini .cfg .conf .config .properties .env .sh .bash .zsh .fish .ps1 .bat "
    ".tf .md .txt .rst .service".split()
)


def _assigned(text: str, lowered: str, path: str) -> Iterator[Span]:
    if not any(hint in lowered for hint in _HINTS):
        return
    patterns = [_QUOTED, _BARE] if _holds_bare_values(path) else [_QUOTED]
    for pattern in patterns:
        for match in pattern.finditer(text):
            if is_random(match[2]):
                yield match.span(2)


def _holds_bare_values(path: str) -> bool:
    place = PurePosixPath(path.lower())
    return (
        place.suffix in _BARE_SUFFIXES
        or place.name.startswith(".")
        or place.name.split(".")[0] in _BARE_NAMES
        or not _BARE_SUFFIXES.isdisjoint(place.suffixes)
    )
