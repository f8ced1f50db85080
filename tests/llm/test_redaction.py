"""Redaction: secrets are removed, and other text stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.llm.redaction import Redactor

redact = Redactor(["a-key-in-use"])
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key sk-abcdefghijklmnop1234 end", "key [key] end"),
        ("sk-ant-api03-abcdefghijklmnop_1234", "[key]"),
        ("ghp_" + "a" * 36, "[key]"),
        ("hf_" + "A" * 34, "[key]"),
        ("AKIA" + "A1" * 8, "[key]"),
        ("AIza" + "b" * 35, "[key]"),
        ("xoxb-1234567890-abc", "[key]"),
        (f"token {JWT}.", "token [key]."),
        (f"{PEM} rest", "[key] rest"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB", "[key]"),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [key]"),
        ("curl -H 'authorization: a-token-without-scheme'", "curl -H 'authorization: [key]'"),
        ("Authorization: Basic YWRhOnBhc3N3b3Jk", "Authorization: Basic [key]"),
        ("it is a-key-in-use, yes", "it is [key], yes"),
        ("mongodb://ada:pass@host/db", "mongodb://[password]@host/db"),
        ("mail ada.l+x@mail.example.org now", "mail [email] now"),
    ],
)
def test_secret_is_taken_out(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn and scikit-learn",
        "a risk-averse-and-very-long-hyphenated-word",
        "@ada said: meet @ 5",
        "http://example.org:8080/path?x=1",
        "bearer of bad news",
        "Basic understanding of things",
        "The Bearer arrives tomorrow",
        "",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_short_secret_is_not_searched_for_in_ordinary_words() -> None:
    assert Redactor(["none", None, ""])("nonetheless") == "nonetheless"


def test_redactor_does_not_show_its_secrets() -> None:
    assert "a-key" not in repr(redact)


@given(st.text(max_size=50), st.text(max_size=50))
def test_key_in_use_never_stays(before: str, after: str) -> None:
    assert "a-key-in-use" not in redact(f"{before}a-key-in-use{after}")


@given(st.text(alphabet="sk-@:/.BearereyJ 0aA_", max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
