"""Finds files that are secret as a whole, and replaces passwords, tokens and keys in others."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from moodswarm.crawl.repositories.secret_patterns import is_mixed, is_random, rules

REDACTED = "[redacted secret]"

#: A secret of at least this length is also replaced wherever else in the text it occurs.
_EVERYWHERE = 16

Span = tuple[int, int]


def redact(text: str, path: str) -> tuple[str, int]:
    """Replace the secrets in a text with `[redacted secret]`.

    This finds private keys, tokens of a known form, passwords in addresses, and random values that
    are assigned to a name such as `api_key` or `password`. It does not find a password that is made
    of plain words.

    Args:
        text: The text of a whole file, with lines of at most a few thousand characters.
        path: The path of the file; it shows whether values may be written without quotes, as in
            YAML or a shell script.

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


# detect-secrets finds only the first line of a key, but the secret is the block below it.
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
            continue  # code that only mentions the first line of a key
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


_SECRET_NAMES = frozenset(
    ".netrc _netrc .pypirc .htpasswd .pgpass .my.cnf .mylogin.cnf .git-credentials .dockercfg "
    ".vault_pass .vault-token .s3cfg .boto .rclone.conf .kubeconfig kubeconfig "
    "id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_ed25519_sk "
    "credentials.json client_secret.json client_secrets.json secrets.json secrets.yml "
    "secrets.yaml secrets.toml secrets.ini secrets.env .secrets.toml token.json "
    "terraform.tfstate terraform.tfstate.backup".split()
)
_SECRET_SUFFIXES = frozenset(
    ".pem .p12 .pfx .p8 .ppk .key .jks .keystore .kdbx .kdb .pkcs12 .asc .gpg .pgp .ovpn "
    ".tfvars .tfstate .mobileprovision .agekey".split()
)
_SECRET_FOLDERS = frozenset([".ssh", ".aws", ".gnupg", ".azure"])
_ENV = re.compile(r"\.env(?:rc)?(?:\..+)?|.+\.env")
_SERVICE_ACCOUNT = re.compile(r"(?:.*service[-_]account.*|.*-firebase-adminsdk-.*)\.json")
# An example file shows names, not values. If it contains a secret after all, the secret is redacted
# as in any other file.
_EXAMPLE = re.compile(
    r".*[._-](?:example|sample|template|tmpl|dist|defaults?)(?:\.\w+)?|(?:example|sample)[._-].*"
)


def is_secret_name(path: str) -> bool:
    """Return whether a path names a file of secrets, such as `.env` or `deploy/id_rsa`."""
    place = PurePosixPath(path.lower())
    name = place.name
    if _EXAMPLE.fullmatch(name):
        return False
    if name in _SECRET_NAMES or place.suffix in _SECRET_SUFFIXES or _ENV.fullmatch(name):
        return True
    if _SERVICE_ACCOUNT.fullmatch(name):
        return True
    return not _SECRET_FOLDERS.isdisjoint(place.parts[:-1])


_KEY_FILE = re.compile(r"\s*(?:-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-\d)")
_NPM_TOKEN = re.compile(r"_auth(?:Token)?\s*=|_password\s*=", re.IGNORECASE)


def is_secret_content(path: str, text: str) -> bool:
    """Return whether a whole file is a private key, or settings that contain a token."""
    name = path.rpartition("/")[2].lower()
    if name in (".npmrc", ".yarnrc", ".yarnrc.yml"):
        return _NPM_TOKEN.search(text) is not None or "npmAuthToken" in text
    return _KEY_FILE.match(text) is not None
