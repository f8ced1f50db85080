"""Patterns that find secrets.

Most of the patterns come from detect-secrets. They are applied directly, without its own scan,
which keeps global settings, returns some secrets only in part (only `ghp` for a GitHub token, all
but the signature for a JSON Web Token, only the first line for a private key), and can ask servers
on the internet whether a secret works. High entropy alone does not make a string a secret: in code,
strings with high entropy are checksums, ids and test data.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern, and when it applies.

    Attributes:
        hints: The pattern is tried only if one of these strings occurs in the lower-cased text.
        group: The group of the match that is the secret; 0 is the whole match.
        accept: Returns False for a value that only looks like a secret.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    group: int
    accept: Callable[[str], bool]


@lru_cache(maxsize=1)
def rules() -> tuple[Rule, ...]:
    """Return the rules for all secrets that can be recognised by their form."""
    return (*_own_rules(), *_detector_rules())


def is_mixed(value: str) -> bool:
    """Return whether a value looks generated: letters and digits, of which few are repeated."""
    letters = any(character.isalpha() for character in value)
    return letters and any(character.isdigit() for character in value) and _entropy(value) > _MIXED


# Entropy in bits per character: words have less, random letters and digits have more.
_MIXED, _RANDOM = 3.0, 3.2
_FEWEST_TURNS = 3
_TURNS = re.compile(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])")
_PLACEHOLDER = re.compile(
    r"(?i)example|sample|dummy|placeholder|change[-_]?me|redacted|your|xxx|\.\.\.|\*\*\*|1234567|"
    r"abcdef|[<>{}()\[\]$%]|://|^/|^\.|[:\\]"
)


def is_random(value: str) -> bool:
    """Return whether a value looks like a password, not a name: letters and digits alternate."""
    if _PLACEHOLDER.search(value) or len(_TURNS.findall(value)) < _FEWEST_TURNS:
        return False
    return _entropy(value) > _RANDOM


_SHORTEST_PASSWORD = 6
_USUAL = re.compile(
    r"(?i)x+|\*+|\.+|(.)\1*|1234\w*|abc\w{0,3}|qwerty\w*|[<{$%\[(#].*|.*[>})\]]|"
    r".*(?:pass|pw|secret|token|change|example|sample|dummy|placeholder|foo|bar|baz|redacted|your|"
    r"test|user|admin|root|guest|postgres|mysql|mongo|rabbit|redis|hunter|hidden|login).*"
)


def _is_password(value: str) -> bool:
    """Return whether a value is a real password, not an example from some documentation."""
    return len(value) >= _SHORTEST_PASSWORD and _USUAL.fullmatch(value) is None


def _always(_value: str) -> bool:
    return True


def _entropy(value: str) -> float:
    """Return the Shannon entropy in bits per character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


# For each detector of detect-secrets: its module, its class, hints, the group of its patterns that
# is the secret, and a function that accepts or rejects a value. Some detectors are left out because
# they match ordinary code: Artifactory (matches `APDispatcher`), public IP addresses, and entropy.
_ALL, _VALUE, _VALUE_IF_ANY = 0, 1, -1
_DETECTORS: tuple[tuple[str, str, str, int, Callable[[str], bool]], ...] = (
    ("aws", "AWSKeyDetector", "aws a3t abia acca akia asia", _VALUE_IF_ANY, is_mixed),
    ("azure_storage_key", "AzureStorageKeyDetector", "accountkey=", _ALL, _always),
    ("basic_auth", "BasicAuthDetector", "://", _VALUE, _is_password),
    ("cloudant", "CloudantDetector", "cloudant clou", _VALUE, is_mixed),
    ("discord", "DiscordBotTokenDetector", "discord token", _ALL, is_mixed),
    ("github_token", "GitHubTokenDetector", "ghp_ gho_ ghu_ ghs_ ghr_", _ALL, is_mixed),
    ("gitlab_token", "GitLabTokenDetector", "gl gr1348941", _ALL, is_mixed),
    ("ibm_cloud_iam", "IbmCloudIamDetector", "ibm iam_", _VALUE, is_mixed),
    ("ibm_cos_hmac", "IbmCosHmacDetector", "cos_ cos- ibm", _VALUE, is_mixed),
    ("mailchimp", "MailchimpDetector", "-us", _ALL, is_mixed),
    ("npm", "NpmDetector", ":_authtoken", _VALUE, is_mixed),
    ("openai", "OpenAIDetector", "t3blbkfj", _ALL, _always),
    ("pypi_token", "PypiTokenDetector", "pypi-ag", _ALL, _always),
    ("sendgrid", "SendGridDetector", "sg.", _ALL, is_mixed),
    ("slack", "SlackDetector", "xox hooks.slack.com", _ALL, is_mixed),
    ("softlayer", "SoftlayerDetector", "softlayer", _VALUE, is_mixed),
    ("square_oauth", "SquareOAuthDetector", "sq0csp-", _ALL, _always),
    ("stripe", "StripeDetector", "k_live_", _ALL, _always),
    ("telegram_token", "TelegramBotTokenDetector", ":aa", _ALL, is_mixed),
    ("twilio", "TwilioKeyDetector", "ac sk", _ALL, is_mixed),
)


def _detector_rules() -> Iterator[Rule]:
    for module, name, hints, group, accept in _DETECTORS:
        detector = getattr(import_module(f"detect_secrets.plugins.{module}"), name)
        for pattern in detector.denylist:
            chosen = min(pattern.groups, abs(group))
            yield Rule(tuple(hints.split()), pattern, chosen, accept)


# Secrets that detect-secrets 1.5 does not know, or knows only in part: a hint, and a pattern whose
# match must not begin in the middle of a word.
_OWN: tuple[tuple[str, str], ...] = (
    ("eyj", r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}(?:\.[\w-]*)?"),
    ("github_pat_", r"github_pat_\w{30,}"),
    ("aiza", r"AIza[\w-]{35}"),
    ("ya29.", r"ya29\.[\w-]{20,}"),
    ("gocspx-", r"GOCSPX-[\w-]{20,}"),
    ("hf_", r"hf_[A-Za-z0-9]{30,}"),
    ("sk-", r"sk-(?:ant|proj|or|svcacct|admin|lf)-[\w-]{20,}"),
    ("sk-", r"sk-[A-Za-z0-9]{40,}"),
    ("xapp-", r"xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{20,}"),
    ("npm_", r"npm_[A-Za-z0-9]{36}"),
    ("dapi", r"dapi[a-f0-9]{32}"),
    ("k_test_", r"[rs]k_test_[0-9A-Za-z]{24,}"),
    ("whsec_", r"whsec_[A-Za-z0-9+/]{24,}"),
    ("shpat_", r"shpat_[a-fA-F0-9]{32}"),
    ("dop_v1_", r"dop_v1_[a-f0-9]{64}"),
    ("age-secret-key-", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    ("sharedaccesskey=", r"(?<=SharedAccessKey=)[A-Za-z0-9+/]{40,}={0,2}"),
    ("bearer ", r"(?<=[Bb]earer )[A-Za-z0-9+/._=-]{24,}"),
    ("authorization", r"(?<=[Bb]asic )[A-Za-z0-9+/=]{16,}"),
)


def _own_rules() -> Iterator[Rule]:
    for hint, pattern in _OWN:
        yield Rule((hint,), re.compile(rf"(?<![\w-]){pattern}"), 0, is_mixed)
