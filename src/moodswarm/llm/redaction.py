"""Removes keys, passwords and e-mail addresses from texts that are logged, traced or stored.

Prompts are long and secrets are rare. A text is therefore first searched for the few letters that
each kind of key begins with, which takes a microsecond per kilobyte. Only if these
letters are found is the regular expression run (running all of them took 0.3 ms per kilobyte).
"""

import re
from collections.abc import Iterable

#: The first letters of each kind of key, and a regular expression for the rest.
_BEGINNINGS = (
    *((f"{letter}k-", r"[A-Za-z0-9_-]{16,}") for letter in "spr"),  # OpenAI, Anthropic
    *((f"{kind}_", r"[A-Za-z0-9]{16,}") for kind in ("sk_live", "sk_test", "rk_live", "rk_test")),
    *((f"gh{letter}_", r"[A-Za-z0-9]{30,}") for letter in "opsur"),  # GitHub
    ("github_pat_", r"[A-Za-z0-9_]{30,}"),
    ("glpat-", r"[A-Za-z0-9_-]{16,}"),  # GitLab
    ("hf_", r"[A-Za-z0-9]{30,}"),  # Hugging Face
    ("gsk_", r"[A-Za-z0-9]{30,}"),  # Groq
    ("xox", r"[abeoprs]-[A-Za-z0-9-]{10,}"),  # Slack
    *((beginning, r"[A-Z0-9]{16}\b") for beginning in ("AKIA", "ASIA")),  # AWS
    ("AIza", r"[A-Za-z0-9_-]{35}"),  # Google
    ("eyJ", r"[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"),  # JSON Web Token
)
_KEYS = {
    # The look-behind comes after the letters, because an expression that begins with literal
    # letters runs fast.
    **{letters: re.compile(rf"{letters}(?<!\w{letters}){rest}") for letters, rest in _BEGINNINGS},
    "-----BEGIN ": re.compile(
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]+-----|\Z)"
    ),
}
#: A token contains a digit, unlike the words in "Bearer Understandings".
_TOKEN = re.compile(
    r"\b(Authorization[\"']?\s?[:=]\s?[\"']?(?:\w{1,20}\s)?|Bearer\s(?=[A-Za-z._~+/=-]*\d))"
    r"[A-Za-z0-9._~+/=-]{12,}",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(://)[^\s/@:]{0,200}:[^\s/@]{1,200}@")
_EMAIL_HOST = re.compile(r"@[\w-]{1,63}(?:\.[\w-]{1,63})*\.[A-Za-z]{2,24}\b")
_EMAIL_NAME = re.compile(r"[\w.+-]{1,64}\Z")
_EMAIL_NAME_CHARACTERS = 64

#: Shorter secrets would be found in ordinary words.
_SHORTEST_SECRET = 6


class Redactor:
    """Removes secrets from a text.

    Args:
        secrets: Values that must never be shown, such as the key in use.
    """

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        values = {value for value in secrets if value and len(value) >= _SHORTEST_SECRET}
        # The longest secrets come first, because one secret may be part of another.
        self._secrets = sorted(values, key=len, reverse=True)

    def __repr__(self) -> str:
        return "Redactor()"

    def __call__(self, text: str) -> str:
        """Return the text with `[key]`, `[password]` and `[email]` in place of secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        for letters, pattern in _KEYS.items():
            if letters in text:
                text = pattern.sub("[key]", text)
        folded = text.lower()
        if "bearer" in folded or "authorization" in folded:
            text = _TOKEN.sub(r"\1[key]", text)
        return _without_emails(_URL_PASSWORD.sub(r"\1[password]@", text))


def has_key(text: str) -> bool:
    """Return whether a text contains something that looks like a key."""
    return any(letters in text and pattern.search(text) for letters, pattern in _KEYS.items())


def _without_emails(text: str) -> str:
    """Replace e-mail addresses, searching around each `@` rather than through every word."""
    parts, done = [], 0
    for host in _EMAIL_HOST.finditer(text):
        before = text[max(done, host.start() - _EMAIL_NAME_CHARACTERS) : host.start()]
        if name := _EMAIL_NAME.search(before):
            parts += [text[done : host.start() - len(name[0])], "[email]"]
            done = host.end()
    return "".join(parts) + text[done:]
