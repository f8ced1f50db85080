"""`moodswarm retrieval evaluate`: a tiny collection goes through the whole command."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from e2e.projects import SmallProject
from moodswarm.commands import main
from moodswarm.commands.retrieval.corpus import redirected

DOCUMENTS = [
    {"id": "tea/1", "title": "Tea", "text": "Tea in the harbour garden at night."},
    {"id": "böat", "title": "", "text": "Boats cross the river in summer. " * 40},
    {"_id": "3", "title": "", "text": "A letter to the people of the island."},
    {"id": "empty", "title": "", "text": ""},
]
QUERIES = [
    {"id": "q 1", "text": "tea in the garden"},
    {"id": "q2", "text": "boats on the river"},
    {"id": "q3", "text": "letter"},
]
QRELS = "query-id\tcorpus-id\tscore\nq 1\ttea/1\t1\nq2\tböat\t2\nq2\tgone\t1\nnobody\t3\t1\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    return SmallProject.create(tmp_path_factory.mktemp("evaluate") / "project", tiny_model).path


@pytest.fixture
def files(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    for name, rows in (("docs.jsonl", DOCUMENTS), ("queries.jsonl", QUERIES)):
        (project / name).write_text("\n".join(map(json.dumps, rows)))
    (project / "qrels.tsv").write_text(QRELS)
    return project


def evaluate(*options: object) -> Any:
    arguments = ["--corpus", "docs.jsonl", "--queries", "queries.jsonl", "--qrels", "qrels.tsv"]
    return CliRunner().invoke(main, ["retrieval", "evaluate", *arguments, *map(str, options)])


def measured(*options: object) -> dict[str, Any]:
    result = evaluate("--json", "report.json", *options)
    assert result.exit_code == 0, result.output
    loaded: dict[str, Any] = json.loads(Path("report.json").read_text())
    return loaded


def test_a_collection_is_measured(files: Path) -> None:
    report = measured("--work", "work")
    assert list(report["configurations"]) == ["dense", "lexical", "hybrid"]
    lexical = report["queries"]["lexical"]
    assert lexical["MRR@10"] == {"q 1": 1.0, "q2": 1.0}
    assert lexical["Recall@10"] == {"q 1": 1.0, "q2": 0.5}
    assert (files / "work/qdrant").is_dir()
    assert not (files / "data/04_feature").exists()
    assert not (files / "data/01_raw").exists()


def test_everything_is_accounted_for(files: Path) -> None:
    counts = measured("--work", "work")["counts"]
    assert counts["documents"] == 4
    assert sum(counts["rejected"].values()) == 1
    assert (counts["queries"], counts["queries asked"]) == (3, 2)
    assert counts["judged queries that are not there"] == 1
    assert counts["judgements of unknown documents"] == 1


def test_a_second_run_embeds_nothing(files: Path) -> None:
    first = measured("--work", "again", "--configuration", "dense")
    second = measured("--work", "again", "--configuration", "dense")
    assert first["counts"]["embedded in this run"] == 4
    assert second["counts"]["embedded in this run"] == 0
    assert second["queries"] == first["queries"]


def test_a_changed_corpus_loses_what_is_gone(files: Path) -> None:
    measured("--work", "changed", "--configuration", "dense")
    (files / "docs.jsonl").write_text(json.dumps(DOCUMENTS[0]))
    report = measured("--work", "changed", "--configuration", "dense")
    assert (report["counts"]["documents"], report["counts"]["chunks"]) == (1, 1)


def test_the_work_folder_is_named_after_the_corpus(files: Path) -> None:
    result = evaluate("--configuration", "dense", "--limit-queries", 1)
    assert result.exit_code == 0, result.output
    folders = list((files / "data/08_reporting/retrieval").iterdir())
    assert [folder.name.endswith("-article") for folder in folders] == [True]
    assert folders[0].name in result.stderr.replace("\n", "")
    assert "nDCG@10" in result.stdout


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("queries.jsonl", "", "queries.jsonl: is empty"),
        ("queries.jsonl", '{"id": "x", "text": "a"}', "no query is judged"),
        ("docs.jsonl", "", "docs.jsonl: is empty"),
        ("docs.jsonl", '{"id": "1"}', r"docs.jsonl line 1: `text`"),
        ("qrels.tsv", "q2 0 d\n", r"qrels.tsv line 1: expected"),
    ],
)
def test_bad_files_are_named(files: Path, name: str, text: str, message: str) -> None:
    (files / name).write_text(text)
    result = evaluate("--work", "bad")
    assert result.exit_code == 1
    assert re.search(message, result.output)


def test_entries_of_a_server_are_brought_home() -> None:
    server = {
        "documents": {
            "type": "moodswarm.datasets.documents.DocumentsDataset",
            "store": {"backend": "mongodb", "database": "moodswarm"},
            "credentials": "mongodb",
        },
        "embedded_chunks": {
            "type": "moodswarm.datasets.vectors.CollectionsDataset",
            "layer": "embedded",
            "store": {"backend": "server"},
            "credentials": "qdrant",
        },
        "chunks": {"type": "x", "path": "s3://bucket/chunks"},
        "other": {"type": "y"},
    }
    found = redirected(server, ["documents", "embedded_chunks", "chunks", "made"], Path("/w"))
    assert found == {
        "documents": {
            "type": "moodswarm.datasets.documents.DocumentsDataset",
            "store": {"backend": "sqlite", "path": "/w/documents.db"},
        },
        "embedded_chunks": {
            "type": "moodswarm.datasets.vectors.CollectionsDataset",
            "layer": "embedded",
            "store": {"backend": "edge", "path": "/w/qdrant"},
        },
        "chunks": {"type": "x", "path": "/w/pages/chunks"},
    }
