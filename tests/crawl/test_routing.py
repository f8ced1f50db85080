import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.crawl.routing import ExportOnly, InvalidLink, Route, route, source_id


@pytest.mark.parametrize(
    ("link", "platform", "discover"),
    [
        ("https://github.com/ada", "github", True),
        ("https://github.com/orgs/ada", "github", True),
        ("https://GitHub.com/ada/engine", "github", False),
        ("http://www.github.com/ada/engine/tree/main/src", "github", False),
        ("https://github.com./ada", "github", True),
        ("https://gist.github.com/ada/0123456789abcdef", "git", False),
        ("https://codeberg.org/ada/engine.git", "git", False),
        ("https://github.com/ada/engine.git/", "git", False),
        ("https://medium.com/@ada", "medium", True),
        ("https://medium.com/the-engine", "medium", True),
        ("https://medium.com/@ada/notes-on-the-engine-0123456789ab", "medium", False),
        ("https://medium.com/p/0123456789ab", "medium", False),
        ("https://ada.medium.com", "medium", True),
        ("https://ada.medium.com/notes-0123456789ab", "medium", False),
        ("https://ada.substack.com/", "substack", True),
        ("https://ada.substack.com/archive", "substack", True),
        ("https://ada.substack.com/feed", "substack", True),
        ("https://medium.com/feed/@ada", "medium", True),
        ("https://ada.substack.com/p/notes", "substack", False),
        ("https://open.substack.com/pub/ada/p/notes", "substack", False),
        ("https://example.org", "web", True),
        ("https://example.org/feed/", "web", True),
        ("https://example.org/posts/index.xml", "web", True),
        ("https://example.org/sitemap_index.xml.gz", "web", True),
        ("https://example.org/2024/notes", "web", False),
        ("https://bücher.example/", "web", True),
        ("http://127.0.0.1:8000/", "web", True),
        ("http://[::1]:8000/notes", "web", False),
        # Links that look like another platform's.
        ("https://github.com.evil.io/ada", "web", False),
        ("https://evilgithub.com/ada", "web", False),
        ("https://github.com:8443/ada", "web", False),
        ("https://ada.medium.com.evil.io/", "web", True),
        ("https://evil.io/github.com/ada", "web", False),
        ("https://netflix.com/", "web", True),
    ],
)
def test_a_link_goes_to_the_spider_of_its_host(link: str, platform: str, discover: bool) -> None:
    assert route(link) == Route(platform, discover)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("link", "site"),
    [
        ("https://www.linkedin.com/in/ada", "linkedin"),
        ("https://uk.linkedin.com/in/ada", "linkedin"),
        ("https://x.com/ada", "x"),
        ("https://mobile.twitter.com/ada", "x"),
        ("http://X.com./ada", "x"),
    ],
)
def test_sites_that_forbid_crawling_name_the_import(link: str, site: str) -> None:
    with pytest.raises(ExportOnly, match=f"moodswarm import --from {site} archive.zip"):
        route(link)


@pytest.mark.parametrize(
    "link",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "example.org",
        "https://",
        "https://user@github.com/ada",
        "https://github.com\\@evil.io/ada",
        "https://evil.io\\.medium.com/",
        "https://example.org:99999/",
        "https://exa mple.org/",
        f"https://{'a' * 64}.org/",
        "https://github.com/",
        "https://medium.com/",
        "https://substack.com/@ada",
        "https://gist.github.com/ada",
    ],
)
def test_an_unusable_link_is_refused_by_name(link: str) -> None:
    with pytest.raises(InvalidLink, match="^link "):
        route(link)


def test_a_refused_link_does_not_repeat_a_password() -> None:
    with pytest.raises(InvalidLink) as refusal:
        route("https://ada:lovelace@github.com/ada")
    assert "lovelace" not in str(refusal.value)


@given(st.text(max_size=60), st.text("abc.-@:/\\", max_size=20))
def test_no_other_host_is_taken_for_github(host: str, path: str) -> None:
    link = f"https://{host}.evil.io/{path}"
    try:
        chosen = route(link)
    except ValueError:
        return
    assert chosen.platform in ("web", "git")


def test_the_role_of_a_source_follows_its_route() -> None:
    links = ("https://example.org", "https://example.org/notes", "https://github.com/ada/engine")
    assert [route(link).role for link in links] == ["listing", "page", "repository"]


def test_a_source_keeps_its_id_over_spellings() -> None:
    ids = {
        source_id("Ada Lovelace", "http://Example.org/notes?utm_source=x"),
        source_id("ada  lovelace", "https://example.org/notes/"),
    }
    assert len(ids) == 1
    assert source_id("Mary Shelley", "https://example.org/notes") not in ids
