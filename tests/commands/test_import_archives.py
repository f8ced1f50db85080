"""`moodswarm import --from`: LinkedIn, Medium and X archives go into the document store."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from e2e.projects import SmallProject
from imports.archives.builders import (
    MEDIUM_PROFILE,
    answer,
    linkedin,
    medium_post,
    share,
    tweet,
    x,
    zipped,
)
from moodswarm.commands import main
from moodswarm.records import Document

Cli = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, tiny_model: Path) -> SmallProject:
    return SmallProject.create(tmp_path / "project", tiny_model)


@pytest.fixture
def cli(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(project.path)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def tweets(tmp_path: Path) -> Path:
    return zipped(tmp_path / "x.zip", x(tweet(1, "One."), tweet(2, "RT @ana: Two.")))


def stored(project: SmallProject) -> Iterator[Document]:
    opened = project.open()
    for page in opened.documents.scan_documents():
        yield from page
    opened.close()


def test_archives_of_three_platforms_become_documents(
    cli: Cli, project: SmallProject, tmp_path: Path, tweets: Path
) -> None:
    posts = zipped(tmp_path / "linkedin.zip", linkedin(share(1, "Mine.")))
    title = '<h3 class="graf--title">The burr</h3><p>Steel.</p>'
    pages = {"posts/2023-1.html": medium_post("The burr", title), "profile/profile.html": ""}
    stories = zipped(tmp_path / "medium.zip", {**pages, "profile/profile.html": MEDIUM_PROFILE})
    for platform, path in (("linkedin", posts), ("medium", stories), ("x", tweets)):
        assert cli("import", "--from", platform, path).exit_code == 0
    found = {(document.platform, document.kind, document.spider) for document in stored(project)}
    kinds = {("linkedin", "post"), ("medium", "article"), ("x", "post")}
    assert found == {(*kind, "archive") for kind in kinds}


def test_importing_twice_changes_nothing(cli: Cli, tweets: Path) -> None:
    expected = "Imported 1 documents: {}, 1 skipped (not_own_words 1), 0 failed.\n"
    first, second = (cli("import", "--from", "x", tweets) for _ in range(2))
    assert expected.format("1 new, 0 changed, 0 unchanged") in first.output
    assert expected.format("0 new, 0 changed, 1 unchanged") in second.output
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_a_thread_that_went_on_is_changed_by_a_newer_archive(
    cli: Cli, project: SmallProject, tmp_path: Path, tweets: Path
) -> None:
    cli("import", "--from", "x", tweets)
    newer = zipped(tmp_path / "new.zip", x(tweet(1, "One."), answer(3, 1, "And one more.")))
    assert "0 new, 1 changed" in cli("import", "--from", "x", newer).output
    assert [document.content for document in stored(project)] == ["One.\n\nAnd one more."]


def test_a_broken_archive_does_not_lose_the_others(cli: Cli, tmp_path: Path, tweets: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"nothing")
    result = cli("import", "--from", "x", broken, tmp_path / "none.zip", tweets)
    assert result.exit_code == 1
    assert "1 new, 0 changed, 0 unchanged, 1 skipped (not_own_words 1), 2 failed." in result.stdout
    assert f"failed: {broken}: is not a readable zip file" in result.stderr
    assert "none.zip: No such file or directory" in result.stderr


def test_the_report_for_a_program_has_place_and_reason(cli: Cli, tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", x(tweet(1, "One."), tweet(2, "No day.", created_at="soon")))
    result = cli("import", "--from", "x", path, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    (failure,) = report.pop("failed")
    assert (failure["file"], failure["where"]) == (str(path), "data/tweets.js: entry 2")
    assert report == {"read": 1, "inserted": 1, "changed": 0, "unchanged": 0, "skipped": {}}


def test_two_archives_of_one_member_may_overlap(cli: Cli, tmp_path: Path, tweets: Path) -> None:
    newer = zipped(tmp_path / "newer.zip", x(tweet(1, "One."), tweet(3, "Three.")))
    result = cli("import", "--from", "x", newer, tweets)
    assert (result.exit_code, "2 new" in result.output) == (0, True)
    assert "duplicate 1" in result.output


def test_the_author_can_be_named(cli: Cli, project: SmallProject, tweets: Path) -> None:
    cli("import", "--from", "x", tweets, "--author", "Ana  Bell")
    assert [document.author_full_name for document in stored(project)] == ["Ana Bell"]


def test_an_unknown_platform_names_the_known_ones(cli: Cli, tweets: Path) -> None:
    result = cli("import", "--from", "myspace", tweets)
    assert result.exit_code == 2
    assert "'myspace' is not one of 'linkedin', 'medium', 'x'" in result.output


def test_an_author_without_an_archive_is_refused(cli: Cli, tweets: Path) -> None:
    result = cli("import", tweets, "--author", "Ana Bell")
    assert (result.exit_code, "--author needs --from" in result.output) == (2, True)


def test_if_empty_holds_for_archives_as_well(cli: Cli, tweets: Path) -> None:
    cli("import", "--from", "x", tweets)
    result = cli("import", "--from", "x", "--if-empty", "--json", tweets)
    assert (result.exit_code, json.loads(result.stdout)["skipped"]) == (0, {})
    assert "nothing imported" in result.stderr
