"""Which links are crawled, and why others are not."""

import re
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.cli.project import run
from pydantic import ValidationError

from moodswarm.pipelines.crawl.parameters import CrawlParams, Refused, select_sources

CRAWL_DOCS = Path(__file__).parents[3] / "docs/crawl.md"
MIRA = {"full_name": "Mira  Solano", "content_is_mine": True}


def select(*authors: dict[str, Any], **only: str) -> tuple[list[str], list[Refused]]:
    params = CrawlParams.model_validate({"authors": authors, "only": only})
    sources, refused = select_sources(params)
    return [source.link for source in sources], refused


def test_links_and_names_of_accounts_become_sources() -> None:
    links, _ = select(
        {**MIRA, "links": ["https://mira.example"], "github": "mira", "medium": "@mira"}
    )
    assert links == ["https://mira.example", "https://github.com/mira", "https://medium.com/@mira"]


def test_without_consent_nothing_of_an_author_is_crawled() -> None:
    links, refused = select({"full_name": "Ada", "links": ["https://ada.example"]})
    assert links == []
    assert refused[0].reason == "no_consent"


def test_consent_must_be_said_of_each_author() -> None:
    links, refused = select(
        {**MIRA, "links": ["https://mira.example"]},
        {"full_name": "Ada", "links": ["https://ada.example"]},
    )
    assert links == ["https://mira.example"]
    assert [r.author_full_name for r in refused] == ["Ada"]


def test_one_bad_link_refuses_only_itself() -> None:
    links, refused = select({**MIRA, "links": ["ftp://mira.example", "https://mira.example"]})
    assert links == ["https://mira.example"]
    assert refused[0].reason == "bad_link"


def test_a_site_that_forbids_crawlers_names_the_export() -> None:
    _, refused = select({**MIRA, "links": ["https://www.linkedin.com/in/mira"]})
    assert refused[0].reason == "export_only"
    assert "--from linkedin" in refused[0].detail


def test_one_page_in_two_spellings_is_one_source() -> None:
    links, _ = select({**MIRA, "links": ["https://mira.example/a", "http://MIRA.example/a/"]})
    assert links == ["https://mira.example/a"]


def test_a_run_is_limited_to_an_author_however_spelled() -> None:
    ada = {"full_name": "Ada", "content_is_mine": True, "links": ["https://ada.example"]}
    links, _ = select({**MIRA, "links": ["https://mira.example"]}, ada, author="mira solano")
    assert links == ["https://mira.example"]


def test_a_run_is_limited_to_a_link_however_spelled() -> None:
    mira = {**MIRA, "links": ["https://mira.example/a", "https://mira.example/b"]}
    assert select(mira, link="http://mira.example/b/")[0] == ["https://mira.example/b"]


@pytest.mark.parametrize(("name", "value"), [("author", "Nobody"), ("link", "https://x.example")])
def test_a_limit_that_nothing_fits_names_what_is_known(name: str, value: str) -> None:
    with pytest.raises(
        ValueError, match=f"crawl.only.{name} is '{value}'.*Known (authors|links): "
    ):
        select({**MIRA, "links": ["https://mira.example"]}, **{name: value})


def test_a_platform_can_be_named_for_a_domain_of_its_own() -> None:
    link = {"link": "https://letters.mira.example", "platform": "substack"}
    params = CrawlParams.model_validate({"authors": [{**MIRA, "links": [link]}]})
    ((source,), _) = select_sources(params)
    assert (source.platform, source.discover) == ("substack", True)


def test_an_unknown_platform_or_setting_is_named() -> None:
    link = {"link": "https://mira.example", "platform": "myspace"}
    with pytest.raises(ValidationError, match="myspace"):
        CrawlParams.model_validate({"authors": [{**MIRA, "links": [link]}]})
    with pytest.raises(ValidationError, match="lmits"):
        CrawlParams.model_validate({"lmits": {}})


def test_a_link_of_two_authors_stays_with_the_first_in_a_run_of_the_second() -> None:
    link = "https://both.example/feed.xml"
    two = [{**MIRA, "links": [link]}, {**MIRA, "full_name": "Ada", "links": [link]}]
    links, refused = select(*two, author="Ada")
    assert links == []
    assert [r.reason for r in refused] == ["other_author"]


@pytest.mark.parametrize(
    "link", ["https://mira:hunter2@mira.example/feed", " https://hunter2@github.com/mira/tides.git"]
)
def test_a_password_in_a_link_is_shown_nowhere(link: str) -> None:
    params = CrawlParams.model_validate({"authors": [{**MIRA, "links": [link]}]})
    sources, refused = select_sources(params)
    assert not sources
    assert refused[0].reason == "bad_link"
    assert "hunter2" not in f"{params!r} {params.model_dump_json()} {refused}"
    with pytest.raises(ValueError, match="which no author has") as raised:
        select({**MIRA, "links": ["https://mira.example"]}, link=link)
    assert "hunter2" not in str(raised.value)


def test_a_source_knows_the_hosts_of_its_author_that_the_run_leaves_out() -> None:
    links = ["https://mira.example/a", "https://letters.example:8000/b", "ftp://no.example"]
    params = CrawlParams.model_validate(
        {"authors": [{**MIRA, "links": links}], "only": {"link": links[0]}}
    )
    (source,), _ = select_sources(params)
    assert source.author_hosts == ("mira.example", "letters.example:8000")


@pytest.mark.parametrize(
    ("name", "value"), [("author", "Solano"), ("link", "https://mira.example/tea")]
)
def test_a_value_that_was_cut_at_its_comma_names_the_remedy(name: str, value: str) -> None:
    author = {**MIRA, "full_name": "Solano, Mira", "links": ["https://mira.example/tea,milk"]}
    with pytest.raises(ValueError, match=r"--params cut the value at its comma; docs/crawl.md"):
        select(author, **{name: value})
    assert select(author, **{name: f"{value},milk" if name == "link" else "Solano, Mira"})[0]


def test_a_file_passes_values_with_commas(tmp_path: Path) -> None:
    """The file is the example in docs/crawl.md."""
    example = re.search(r"```yaml\n(run:\n.*?)```", CRAWL_DOCS.read_text(), re.S)
    assert example
    (tmp_path / "only.yml").write_text(example[1])
    context = run.make_context("run", [f"--config={tmp_path / 'only.yml'}"])
    assert context.params["params"] == {"crawl": {"only": {"author": "Solano, Mira"}}}
