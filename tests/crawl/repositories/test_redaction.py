"""Secrets are removed and code stays. The example secrets are assembled when the tests run."""

import base64
import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moodswarm
from moodswarm.crawl.repositories.redaction import (
    REDACTED,
    is_secret_content,
    is_secret_name,
    redact,
)


def made(length: int, alphabet: str = string.ascii_letters + string.digits, seed: int = 7) -> str:
    """Return random characters, of which the second is always a digit."""
    source = random.Random(seed)
    return "a1B" + "".join(source.choice(alphabet) for _ in range(length - 3))


def hexed(length: int) -> str:
    return made(length, "0123456789abcdef").lower()


def segment(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


JWT = ".".join([segment('{"alg":"HS256"}'), segment('{"sub":"1234567890"}'), made(43)])
SECRETS = {
    "aws id": "AKIA" + made(16, string.ascii_uppercase + string.digits).upper(),
    "github": "ghp_" + made(36),
    "github fine-grained": "github_pat_" + made(60),
    "gitlab": "glpat-" + made(20),
    "slack": f"xoxb-123456789012-{made(24)}",
    "slack webhook": "https://hooks.slack.com/services/" + f"T{hexed(8)}/B{hexed(8)}/{made(24)}",
    "stripe": "sk_live_" + made(24),
    "sendgrid": f"SG.{made(22)}.{made(43)}",
    "google": "AIza" + made(35),
    "hugging face": "hf_" + made(34),
    "openai": f"sk-{made(20)}T3BlbkFJ{made(20)}",
    "openai project": "sk-proj-" + made(60),
    "anthropic": "sk-ant-api03-" + made(90),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + made(80),
    "npm": "npm_" + made(36),
    "twilio": "SK" + hexed(32),
    "telegram": "123456789:AA" + made(33),
    "mailchimp": hexed(32) + "-us12",
    "json web token": JWT,
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_token_goes_completely_wherever_it_stands(name: str) -> None:
    secret = SECRETS[name]
    text = f'use("{secret}")  # tab\there \n{secret}\nthe_end()\r\n'
    clean, count = redact(text, "a.py")
    assert clean == f'use("{REDACTED}")  # tab\there \n{REDACTED}\nthe_end()\r\n'
    assert count == 2


ASSIGNED = {
    "password = '{}'": "a.py",
    'const apiKey: string = "{}";': "a.ts",
    '"client_secret": "{}",': "a.json",
    "  db_password: {}": "a.yml",
    "export SECRET_KEY={}": "a.sh",
    "ENV API_KEY={}": "Dockerfile",
    "aws_secret_access_key = '{}'": "a.py",
    "headers = {{'Authorization': 'Bearer {}'}}": "a.py",
    "url = 'postgresql://ada:{}@db.internal/main'": "a.py",
}


@pytest.mark.parametrize("line", ASSIGNED)
def test_an_assigned_password_goes_and_its_line_stays(line: str) -> None:
    clean, count = redact(line.format(made(40)), ASSIGNED[line])
    assert (clean, count) == (line.format(REDACTED), 1)


def key_block(kind: str) -> str:
    lines = [made(64, seed=n) for n in range(5)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_a_private_key_goes_as_a_whole(kind: str) -> None:
    clean, count = redact(f'KEY = """{key_block(kind)}"""\nrun()\n', "a.py")
    assert clean == f'KEY = """-----BEGIN {kind}-----{REDACTED}-----END {kind}-----"""\nrun()\n'
    assert count == 1


def test_a_private_key_on_one_line_goes_too() -> None:
    line = key_block("RSA PRIVATE KEY").replace("\n", "\\n")
    clean, _ = redact(f'KEY = "{line}"\n', "a.py")
    assert made(64, seed=0) not in clean


def test_a_private_key_that_is_cut_off_goes_too() -> None:
    text = key_block("EC PRIVATE KEY").partition("-----END")[0]
    clean, count = redact(text + "rest()\n", "notes.md")
    assert clean == f"-----BEGIN EC PRIVATE KEY-----{REDACTED}\nrest()\n"
    assert count == 1


KEPT = [
    'password = "password"',
    "password = getpass.getpass()",
    'PASSWORD_HASHERS = "django.contrib.auth.hashers.PBKDF2PasswordHasher"',
    'secret = os.environ["SECRET_KEY_2"]',
    'api_key = "your-api-key-goes-here-123"',
    "password: ${DB_PASSWORD_1}",
    'token = "<a1b2c3d4e5f6>"',
    'url = "postgresql://user:password@localhost/db"',
    'url = "https://{user}:{password}@host/"',
    'sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
    'if text.startswith("-----BEGIN RSA PRIVATE KEY-----"):\n    load(text)\n' * 3,
    "class APDispatcherController: pass",
    'id = "123e4567-e89b-12d3-a456-426614174000"',
    'token_endpoint = "https://example.org/oauth2/v1/token"',
    'secret_santa = "a letter for everybody in 2024"',
    'data = "' + base64.b64encode(bytes(range(60))).decode() + '"',
]


@pytest.mark.parametrize("text", KEPT)
def test_code_without_secrets_stays(text: str) -> None:
    assert redact(text, "config.yml") == (text, 0)


def test_our_own_code_has_no_secrets() -> None:
    root = Path(str(moodswarm.__file__)).parent
    found = [p.name for p in root.rglob("*.py") if redact(p.read_text("utf-8"), p.name)[1]]
    assert not found


@given(st.text(max_size=300))
def test_text_around_a_secret_stays(text: str) -> None:
    secret = SECRETS["github"]
    clean, _ = redact(f"{text}\n{secret}\n{text}", "a.py")
    assert clean == f"{text}\n{REDACTED}\n{text}"


NAMES = (
    ".env .env.production deploy/prod.env id_rsa .ssh/config server.pem key.p12 .netrc .pypirc "
    "config/credentials.json my-service-account.json terraform.tfstate .aws/credentials A.KEY"
).split()


@pytest.mark.parametrize("path", NAMES)
def test_files_of_secrets_are_known_by_name(path: str) -> None:
    assert is_secret_name(path)


@pytest.mark.parametrize(
    "path",
    [".env.example", "env.py", "keys.py", "id_rsa.md", "credentials.py", "secrets.yml.dist", "a"],
)
def test_other_files_are_not_secret(path: str) -> None:
    assert not is_secret_name(path)


def test_npm_settings_are_a_secret_only_with_a_token() -> None:
    assert is_secret_content("a/.npmrc", "//registry.npmjs.org/:_authToken=x\n")
    assert not is_secret_content("a/.npmrc", "save-exact=true\n")
