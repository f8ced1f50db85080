"""A feed becomes documents and points, run after run, as a user runs it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.blog import Blog, post_text, serve_blog
from e2e.projects import SmallProject, post
from moodswarm.pipelines.crawl.verdict import CrawlFailed

OUTCOMES = ("new", "changed", "unchanged", "skipped", "failed", "missing", "gone")


pytestmark = pytest.mark.usefixtures("forked_crawlers")


@pytest.fixture
def blog() -> Iterator[Blog]:
    with serve_blog(posts=6) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path, tiny_model: Path, blog: Blog) -> SmallProject:
    return SmallProject.create(tmp_path / "project", tiny_model, crawl=blog.parameters())


def counted(report: dict[str, Any]) -> dict[str, int]:
    return {name: report["totals"][name] for name in OUTCOMES if report["totals"][name]}


def test_a_feed_becomes_documents_and_points(project: SmallProject, blog: Blog) -> None:
    report = project.run_all()
    assert report["documents"]["new"] == 6
    documents = {d.title: d for d in project.documents()}
    assert sorted(documents) == [f"Letter {number}" for number in range(6)]
    letter = documents["Letter 3"]
    assert letter.content.removeprefix("# Letter 3\n\n").strip() == post_text(3)
    assert (letter.language, letter.spider, letter.author_full_name) == ("en", "web", "Mira Solano")
    assert any("cleaned_articles" in key for key in project.points())


def test_a_second_crawl_makes_conditional_requests_and_embeds_nothing(
    project: SmallProject, blog: Blog
) -> None:
    assert counted(project.crawl()) == {"new": 6}
    project.run()
    assert counted(project.crawl()) == {"unchanged": 6}
    assert {blog.asked[f"/letters/{n}"] for n in range(6)} == {2}
    assert {blog.complete[f"/letters/{n}"] for n in range(6)} == {1}
    assert project.run()["documents"]["unchanged"] == 6


def test_changes_are_noticed_and_lost_pages_deleted_after_a_second_miss(
    project: SmallProject, blog: Blog
) -> None:
    project.crawl()
    blog.posts[1] = post_text(1, edition=2)
    del blog.posts[2]
    assert counted(project.crawl()) == {"unchanged": 4, "changed": 1, "missing": 1}
    assert len(project.documents()) == 6
    assert counted(project.crawl()) == {"unchanged": 5, "gone": 1}
    assert [d.title for d in project.documents()].count("Letter 2") == 0
    assert counted(project.crawl()) == {"unchanged": 5}


def test_a_rerun_retries_only_failed_links(project: SmallProject, blog: Blog) -> None:
    blog.failing = {4}
    report = project.crawl()
    assert counted(report) == {"new": 5, "failed": 1}
    assert [(f["link"], f["reason"]) for f in report["failures"]] == [(blog.link(4), "http_500")]
    blog.failing, before = set(), blog.asked.copy()
    again = project.crawl()
    assert counted(again) == {"new": 1}
    assert again["sources"][0]["continued"]
    assert dict(blog.asked - before).keys() - {"/robots.txt"} == {"/letters/4"}


def saved_report(project: SmallProject) -> dict[str, Any]:
    path = project.path / "data/08_reporting/crawl_report.json"
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def test_without_consent_nothing_is_requested(project: SmallProject, blog: Blog) -> None:
    project.write_parameters({"crawl": blog.parameters(content_is_mine=False)})
    with pytest.raises(CrawlFailed, match="None of the configured links may be crawled"):
        project.crawl()
    assert saved_report(project)["refused"][0]["reason"] == "no_consent"
    assert not blog.asked


def test_without_an_author_a_crawl_fails_and_features_are_made(project: SmallProject) -> None:
    project.write_parameters({**project.parameters(), "crawl": {"authors": []}})
    project.upsert([post(1)])
    with pytest.raises(CrawlFailed, match="There is no author to crawl"):
        project.crawl()
    assert project.run_all()["documents"]["new"] == 1


def test_one_link_can_be_crawled_alone(project: SmallProject, blog: Blog) -> None:
    one = blog.link(3)
    project.write_parameters({"crawl": blog.parameters(links=[blog.feed, one])})
    assert counted(project.crawl(crawl={"only": {"link": one}})) == {"new": 1}
    assert blog.asked["/feed.xml"] == 0
    assert counted(project.crawl()) == {"new": 5, "unchanged": 1}


def test_a_server_that_is_not_allowed_gets_no_request(project: SmallProject, blog: Blog) -> None:
    parameters = blog.parameters()
    parameters["egress"] = {"allow": []}
    project.write_parameters({"crawl": parameters})
    with pytest.raises(CrawlFailed, match="Every link of this crawl failed"):
        project.crawl()
    (failure,) = saved_report(project)["failures"]
    assert failure["reason"] == "egress"
    assert "egress.allow" in failure["detail"]
    assert not blog.asked
