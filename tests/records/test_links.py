"""Every page has one canonical spelling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodswarm.records.links import canonical_link

PAGE = "https://example.org/a/page"


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/a/page",
        "http://example.org/a/page",
        "HTTPS://Example.ORG/a/page",
        "https://example.org./a/page",
        "https://example.org:443/a/page",
        "http://example.org:80/a/page",
        "https://ada:s3cret@example.org/a/page",
        "https://example.org/a/page/",
        "https://example.org/a/page#part",
        "https://example.org/a/page?utm_source=x&utm_medium=y",
        "https://example.org/a/page?fbclid=1&showWelcomeOnShare=true",
        "  https://example.org/a/page \n",
    ],
)
def test_spellings_of_one_page_are_one_link(link: str) -> None:
    assert canonical_link(link) == PAGE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/a", "https://example.org/A"),
        ("https://example.org/?id=1", "https://example.org/?id=2"),
        ("https://example.org/", "https://www.example.org/"),
        ("https://example.org/", "https://example.org:8080/"),
        ("https://github.com/x", "https://github.com.evil.example/x"),
    ],
)
def test_different_pages_stay_different(one: str, other: str) -> None:
    assert canonical_link(one) != canonical_link(other)


def test_parameters_that_are_kept_are_sorted_and_blank_ones_stay() -> None:
    assert canonical_link("https://example.org/?b=2&a=&utm_id=7") == "https://example.org/?a=&b=2"


def test_an_international_host_is_written_in_ascii() -> None:
    assert canonical_link("https://München.example/ä") == "https://xn--mnchen-3ya.example/%C3%A4"


def test_an_ipv6_host_keeps_its_brackets() -> None:
    assert canonical_link("http://[2001:DB8::1]:8080/x") == "https://[2001:db8::1]:8080/x"


@pytest.mark.parametrize(
    "link", ["", "example.org/a", "/a", "ftp://example.org/a", "mailto:ada@example.org", "https://"]
)
def test_a_link_that_is_not_a_web_address_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="not an absolute http or https address, such as"):
        canonical_link(link)


@pytest.mark.parametrize(
    "link",
    ["https://example.org:port/", "https://[::1/", f"https://{'a' * 64}.org", "https://a..b"],
)
def test_a_broken_address_is_refused_by_name(link: str) -> None:
    with pytest.raises(ValueError, match="is not a valid address"):
        canonical_link(link)


hosts = st.sampled_from(
    ["Example.org", "example.org.", "münchen.de", "[::1]", "x.org:443", "x.org:80", "u:p@x.org"]
)
pieces = st.text(alphabet='aZ0-._~%/ +&=?#é日\u202e\t;:@\\^`"<>\0\n2F', max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["http", "HTTPS"]), hosts, pieces, pieces)
def test_a_canonical_link_is_its_own_canonical_link(
    scheme: str, host: str, path: str, query: str
) -> None:
    link = canonical_link(f"{scheme}://{host}/{path}?{query}")
    assert canonical_link(link) == link
    assert link.startswith("https://")
