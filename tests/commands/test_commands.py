"""The command line, run in process on a small project."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from e2e.projects import SmallProject, article, post
from moodswarm.commands import main
from moodswarm.records.jsonl import document_to_line

Cli = Callable[..., Result]
MOODSWARM = (sys.executable, "-c", "from moodswarm.commands import main; main()")


@pytest.fixture
def project(tmp_path: Path, tiny_model: Path) -> SmallProject:
    return SmallProject.create(tmp_path / "project", tiny_model)


@pytest.fixture
def cli(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(project.path)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> SmallProject:
    """A project whose features have been made; tests work on copies of its data."""
    project = SmallProject.create(tmp_path_factory.mktemp("commands") / "project", tiny_model)
    project.upsert([article(1), article(2), post(1, "The ferry strike is over.")])
    project.run()
    return project


@pytest.fixture
def filled(project: SmallProject, indexed: SmallProject) -> SmallProject:
    shutil.copytree(indexed.path / "data", project.path / "data", dirs_exist_ok=True)
    return project


def lines(path: Path, *documents: Any) -> str:
    path.write_text("".join(f"{document_to_line(document)}\n" for document in documents))
    return str(path)


def test_import_twice_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    file = lines(tmp_path / "two.jsonl", article(1), post(1))
    assert "2 new, 0 changed, 0 unchanged" in cli("import", file).output
    again = cli("import", file)
    assert (again.exit_code, "0 new, 0 changed, 2 unchanged" in again.output) == (0, True)


def test_import_keeps_what_is_good_and_names_what_is_not(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    good = document_to_line(article(1))
    file.write_text(f'{{"broken\n{good}\n{good}\n{{"kind": "poem"}}\n')
    result = cli("import", "--json", str(file))
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["inserted"] == 1
    assert [failure["line"] for failure in report["failed"]] == [1, 3, 4]
    assert "duplicate of" in report["failed"][1]["reason"]


def test_import_reads_a_pipe(cli: Cli, project: SmallProject) -> None:
    given = f"{document_to_line(article(1))}\n{{\n"
    result = CliRunner().invoke(main, ["import", "-"], input=given)
    assert (result.exit_code, "1 new" in result.output) == (1, True)
    assert "failed: -:2: broken JSON" in result.output


def test_an_archive_in_a_pipe_is_refused(cli: Cli) -> None:
    result = cli("import", "--from", "x", "-")
    assert result.exit_code == 2
    assert "cannot be read from standard input; name its file" in result.output


def test_a_missing_file_does_not_lose_the_others(cli: Cli, tmp_path: Path) -> None:
    result = cli("import", str(tmp_path / "none.jsonl"), lines(tmp_path / "a.jsonl", article(1)))
    assert result.exit_code == 1
    assert "1 new" in result.output
    assert "none.jsonl: No such file" in result.output


def test_import_if_empty_does_nothing_to_a_filled_store(
    cli: Cli, filled: SmallProject, tmp_path: Path
) -> None:
    result = cli("import", "--if-empty", lines(tmp_path / "a.jsonl", article(9)))
    assert (result.exit_code, "nothing imported" in result.output) == (0, True)


def test_import_if_empty_prints_json_for_a_program(
    cli: Cli, filled: SmallProject, tmp_path: Path
) -> None:
    result = cli("import", "--if-empty", "--json", lines(tmp_path / "a.jsonl", article(9)))
    report = json.loads(result.stdout)
    assert (result.exit_code, report.pop("failed")) == (0, [])
    assert report == dict.fromkeys(("read", "inserted", "changed", "unchanged", "kept_newer"), 0)
    assert "nothing imported" in result.stderr


def test_a_reader_that_goes_early_is_no_error(cli: Cli, filled: SmallProject) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [*MOODSWARM, "export", "-"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (1, "")


def test_a_deleted_document_loses_its_points_at_the_next_run(
    cli: Cli, filled: SmallProject
) -> None:
    result = cli("delete", "http://EXAMPLE.org/post/1/?utm_source=mail", "--json")
    expected = {"deleted": 1, "already_deleted": 0, "unknown": []}
    assert (result.exit_code, json.loads(result.stdout)) == (0, expected)
    filled.run()
    kinds = {point["kind"] for point in filled.points().values()}
    assert kinds == {"article"}


def test_delete_names_unknown_links_and_deletes_the_others(cli: Cli, filled: SmallProject) -> None:
    links = ("https://example.org/post/1", "https://example.org/none", "example.org/post/1")
    result = cli("delete", *links)
    assert result.exit_code == 1
    assert "Deleted: 1, unknown: 2." in result.stdout
    assert "https://example.org/none: no document has this link" in result.stderr
    assert "'example.org/post/1' is not an absolute http" in result.stderr


def test_delete_twice_says_that_it_was_deleted_before(cli: Cli, filled: SmallProject) -> None:
    cli("delete", "https://example.org/post/1")
    result = cli("delete", "https://example.org/post/1", "https://example.org/post/1/")
    assert result.exit_code == 0
    assert result.stdout == "Deleted: 0 (1 deleted before), unknown: 0.\n"


def test_export_and_import_give_an_identical_export(
    cli: Cli, filled: SmallProject, tmp_path: Path, tiny_model: Path, monkeypatch: Any
) -> None:
    assert cli("export", str(tmp_path / "one.jsonl")).exit_code == 0
    other = SmallProject.create(tmp_path / "other", tiny_model)
    monkeypatch.chdir(other.path)
    assert cli("import", str(tmp_path / "one.jsonl")).exit_code == 0
    assert cli("export", str(tmp_path / "two.jsonl")).exit_code == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_search_finds_the_passage(cli: Cli, filled: SmallProject) -> None:
    hits = json.loads(cli("search", "The ferry strike is over.", "--json", "-k", "2").stdout)
    assert hits[0]["text"] == "The ferry strike is over."
    assert hits[0]["score"] >= hits[1]["score"]
    assert {"link", "author_full_name", "document_id", "start", "end"} <= hits[0].keys()


def test_search_shows_title_author_and_link(cli: Cli, filled: SmallProject) -> None:
    output = cli("search", "boats, tea and tide tables", "--kind", "article").output
    assert "Article" in output
    assert "Mira Solano" in output
    assert "https://example.org/article/" in output


def test_search_by_an_unknown_author_suggests_the_nearest(cli: Cli, filled: SmallProject) -> None:
    result = cli("search", "tea", "--author", "Mira Solana")
    assert result.exit_code == 2
    assert "did you mean Mira Solano?" in result.output


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_search_before_the_first_run_says_what_to_do(cli: Cli, options: tuple[str, ...]) -> None:
    result = cli("search", "tea", *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "kedro run --pipeline=feature" in result.stderr


@pytest.mark.parametrize(("options", "start"), [((), "Nothing found with"), (("--json",), "[]\n")])
def test_search_that_finds_nothing_with_its_filters_is_no_error(
    cli: Cli, filled: SmallProject, options: tuple[str, ...], start: str
) -> None:
    result = cli("search", "tea", "--kind", "repository", *options)
    assert result.exit_code == 0
    assert result.stdout.startswith(start)


def test_search_with_another_model_than_that_of_the_points_says_to_run_first(
    cli: Cli, filled: SmallProject, tmp_path: Path
) -> None:
    from models.tiny import build_tiny_checkpoint

    other = build_tiny_checkpoint(tmp_path / "other", max_tokens=8)
    filled.write_parameters({"embedding": {"model": str(other)}})
    result = cli("search", "tea", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "holds vectors of another model" in result.stderr
    assert "kedro run --pipeline=feature" in result.stderr


def test_collections_lists_points_and_sizes(cli: Cli, filled: SmallProject) -> None:
    found = {c["name"]: c for c in json.loads(cli("collections", "--json").stdout)}
    assert found["cleaned_articles"]["points"] == 2
    assert found["embedded_posts"]["dimensions"] == 32
    assert "embedded_articles" in cli("collections").output


def test_a_deleted_collection_is_gone(cli: Cli, filled: SmallProject) -> None:
    assert cli("collections", "--delete", "embedded_posts", "--yes").exit_code == 0
    names = {c["name"] for c in json.loads(cli("collections", "--json").stdout)}
    assert "embedded_posts" not in names


def test_a_deleted_collection_is_named_to_a_program(cli: Cli, filled: SmallProject) -> None:
    result = cli("collections", "--delete", "embedded_posts", "--yes", "--json")
    assert json.loads(result.stdout) == {"deleted": ["embedded_posts"]}


def test_the_question_before_deleting_is_not_for_the_program(
    cli: Cli, filled: SmallProject
) -> None:
    result = cli("collections", "--delete", "embedded_posts", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Delete embedded_posts (1 points)?" in result.stderr


def test_the_index_is_deleted_with_all_that_it_lists(cli: Cli, filled: SmallProject) -> None:
    refused = cli("collections", "--delete", "feature_index")
    assert "cleaned_posts, embedded_articles, embedded_posts, feature_index" in refused.stderr
    filled.tombstone(post(1))
    assert cli("collections", "--delete", "feature_index", "--yes").exit_code == 0
    assert json.loads(cli("collections", "--json").stdout) == []
    filled.run()
    assert {point["kind"] for point in filled.points().values()} == {"article"}


def test_sample_shows_points(cli: Cli, filled: SmallProject) -> None:
    (point,) = json.loads(cli("sample", "embedded_posts", "--json").stdout)
    assert point["text"] == "The ferry strike is over."
    assert "The ferry strike is over." in cli("sample", "embedded_posts").output


@pytest.mark.parametrize("arguments", [("sample", "poems"), ("collections", "--delete", "poems")])
def test_an_unknown_collection_names_the_known(
    cli: Cli, filled: SmallProject, arguments: tuple[str, ...]
) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "no collection 'poems'. Existing: cleaned_articles" in " ".join(result.output.split())


def test_chunks_passes_and_draws(cli: Cli, filled: SmallProject) -> None:
    result = cli("chunks")
    assert result.exit_code == 0
    assert "PASS" in result.output
    assert (filled.path / "data/08_reporting/chunks.png").read_bytes().startswith(b"\x89PNG")


def test_chunks_fails_when_a_chunk_is_over_the_limit(
    cli: Cli, filled: SmallProject, tiny_model: Path, tmp_path: Path
) -> None:
    from models.tiny import build_tiny_checkpoint

    smaller = build_tiny_checkpoint(tmp_path / "smaller", max_tokens=8)
    filled.write_parameters({"embedding": {"model": str(smaller)}})
    result = cli("chunks", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert not report["collections"]["embedded_articles"]["passed"]
    assert report["picture"] == str(filled.path / "data/08_reporting/chunks.png")


def test_smoke_says_that_everything_answers(cli: Cli, filled: SmallProject) -> None:
    result = cli("smoke", "--json")
    assert result.exit_code == 0
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert all(finding["reachable"] for finding in findings.values())
    assert findings["document store"]["counts"]["article"] == 2


def test_smoke_looks_deep_and_names_what_is_damaged(cli: Cli, filled: SmallProject) -> None:
    assert cli("smoke", "--deep").exit_code == 0
    with closing(sqlite3.connect(filled.path / "data/01_raw/documents.db")) as file, file:
        file.execute("UPDATE documents SET content = 'other' WHERE kind = 'post'")
    project = filled.open()
    project.vectors.delete_points("embedded_articles", {"position": [0]})
    project.close()
    assert cli("smoke").exit_code == 0
    result = cli("smoke", "--deep", "--json")
    failed = {f["name"]: f["detail"] for f in json.loads(result.stdout) if not f["reachable"]}
    assert result.exit_code == 1
    assert "https://example.org/post/1 do not have the content" in failed["document store"]
    assert "feature_index/" in failed["vector store"]


def test_export_leaves_out_and_names_what_is_damaged(
    cli: Cli, project: SmallProject, tmp_path: Path
) -> None:
    project.upsert([article(1), post(1)])
    with closing(sqlite3.connect(project.path / "data/01_raw/documents.db")) as file, file:
        file.execute("UPDATE documents SET content = 'other' WHERE kind = 'post'")
    result = cli("export", str(tmp_path / "out.jsonl"))
    assert result.exit_code == 1
    assert "damaged, left out: https://example.org/post/1" in result.stderr
    [line] = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["kind"] == "article"


def test_smoke_says_what_is_wrong(cli: Cli, filled: SmallProject) -> None:
    filled.write_parameters({"embedding": {"model": "/no/such/model"}})
    result = cli("smoke")
    assert result.exit_code == 1
    assert "FAILED" in result.output
    assert "/no/such/model" in result.output


WRONG = {
    "documents": (
        {"type": "moodswarm.datasets.documents.DocumentsDataset", "store": {"backend": "x"}},
        ("document store", "use sqlite or mongodb"),
    ),
    "embedded_chunks": (
        {
            "type": "moodswarm.datasets.vectors.CollectionsDataset",
            "layer": "embedded",
            "store": {"backend": "server"},
            "credentials": "qdrant",
        },
        ("vector store", "expected http://host:port"),
    ),
}


@pytest.mark.parametrize("entry", WRONG)
def test_smoke_says_what_is_wrong_with_a_configuration_and_tries_the_rest(
    cli: Cli, filled: SmallProject, entry: str
) -> None:
    conf = filled.path / "conf/local"
    values, (name, detail) = WRONG[entry]
    (conf / "catalog.yml").write_text(json.dumps({entry: values}))
    (conf / "credentials.yml").write_text('{"qdrant": {"url": "localhost:6333"}}')
    result = cli("smoke", "--json")
    assert result.exit_code == 1
    failed = {f["name"]: f["detail"] for f in json.loads(result.stdout) if not f["reachable"]}
    assert failed.keys() == {name}
    assert detail in failed[name]


def test_smoke_on_empty_addresses_names_both(
    cli: Cli, filled: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODSWARM_MONGODB_URI", "")
    monkeypatch.setenv("MOODSWARM_QDRANT_URL", "")
    findings = json.loads(cli("--env", "server", "smoke", "--json").stdout)
    assert [finding["reachable"] for finding in findings[:2]] == [False, False]
    assert "mongodb://localhost:27017" in findings[0]["detail"]
    assert "http://localhost:6333" in findings[1]["detail"]


def test_smoke_on_a_broken_catalog_still_tries_the_model(cli: Cli, filled: SmallProject) -> None:
    (filled.path / "conf/local/catalog.yml").write_text("documents: [")
    findings = json.loads(cli("smoke", "--json").stdout)
    assert [finding["reachable"] for finding in findings] == [False, False, True]
    assert "catalog.yml" in findings[0]["detail"]


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_a_server_that_is_down_is_named_without_its_password(
    cli: Cli, filled: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymongo")
    uri = "mongodb://ada:very-secret@127.0.0.1:9/?serverSelectionTimeoutMS=50"
    monkeypatch.setenv("MOODSWARM_MONGODB_URI", uri)
    monkeypatch.setenv("MOODSWARM_QDRANT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MOODSWARM_QDRANT_API_KEY", "very-secret")
    result = cli("--env", "server", "smoke", "--json")
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.output
    assert "very-secret" not in result.output


def test_an_unknown_environment_names_the_known(cli: Cli) -> None:
    result = cli("--env", "moon", "collections")
    assert result.exit_code == 2
    assert "no environment 'moon'" in result.output


def test_outside_a_project_it_says_so(
    cli: Cli, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    result = cli("collections")
    assert result.exit_code == 2
    assert "not inside a MoodSwarm project" in result.output


def test_outside_a_project_nothing_but_the_error_appears(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    result = subprocess.run(
        [*MOODSWARM, "collections"],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert "not inside a MoodSwarm project" in result.stderr


def test_help_teaches(cli: Cli) -> None:
    output = cli("--help").output
    for command in main.commands:
        assert command in output
        assert cli(command, "--help").exit_code == 0
