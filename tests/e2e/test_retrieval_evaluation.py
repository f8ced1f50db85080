"""`kedro run --pipeline=retrieval_evaluation` on a small project."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from e2e.projects import SmallProject, article, post
from models.tiny_cross_encoder import build_tiny_cross_encoder
from moodswarm.retrieval.evaluation.baseline import RetrievalRegressed
from moodswarm.retrieval.evaluation.question_set import NothingToAskAbout
from retrieval.evaluation.corpora import TEXTS


def create(path: Path, model: Path) -> SmallProject:
    created = SmallProject.create(path, model, retrieval_evaluation={"questions": 6})
    untracked = ["feature", "retrieval_evaluation"]
    switched_off = {"tracking": {"disable_tracking": {"pipelines": untracked}}}
    (created.path / "conf/local/mlflow.yml").write_text(yaml.safe_dump(switched_off))
    return created


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> SmallProject:
    """A project whose features are made, and evaluated once; tests work on copies."""
    project = create(tmp_path_factory.mktemp("evaluation") / "project", tiny_model)
    project.upsert([article(n, text) for n, text in enumerate(TEXTS)])
    project.upsert([post(n, f"{TEXTS[n]} It is {n}.") for n in range(2)])
    project.run()
    evaluate(project)
    return project


@pytest.fixture
def project(indexed: SmallProject, tmp_path: Path) -> SmallProject:
    return SmallProject(Path(shutil.copytree(indexed.path, tmp_path / "project")))


def evaluate(project: SmallProject, **parameters: Any) -> dict[str, Any]:
    bootstrap_project(project.path)
    with KedroSession.create(project.path, runtime_params=parameters) as session:
        session.run(pipeline_names=["retrieval_evaluation"])
    loaded: dict[str, Any] = json.loads(reporting(project, "retrieval_report.json").read_text())
    return loaded


def reporting(project: SmallProject, name: str) -> Path:
    return project.path / "data/08_reporting" / name


def test_two_runs_give_the_same_numbers(project: SmallProject) -> None:
    first = json.loads(reporting(project, "retrieval_report.json").read_text())
    second = evaluate(project)
    for name, found in first["configurations"].items():
        assert second["configurations"][name]["measures"] == found["measures"]
    assert first["baseline"]["state"] == "recorded"
    assert second["baseline"] | {"recorded_at": ""} == {
        "state": "compared",
        "recorded_at": "",
        "gated": True,
        "falls": [],
        "changed_settings": {},
    }
    assert (second["questions"]["kept"], second["questions"]["new"]) == (6, 0)
    assert reporting(project, "retrieval_chart.png").stat().st_size > 1_000
    versions = project.path / "data/05_model_input/retrieval_questions.json"
    assert len(list(versions.iterdir())) == 2


def test_a_run_under_its_baseline_saves_its_report_and_fails(project: SmallProject) -> None:
    path = reporting(project, "retrieval_baseline.json")
    recorded = json.loads(path.read_text())
    for known in recorded["test_sets"].values():
        known["measures"]["dense"]["MRR@10"]["value"] = 1.5
    path.write_text(json.dumps(recorded))
    reporting(project, "retrieval_report.json").unlink()
    with pytest.raises(RetrievalRegressed, match=r"MRR@10 of dense is .*, the baseline 1\.500"):
        evaluate(project)
    saved = json.loads(reporting(project, "retrieval_report.json").read_text())
    assert saved["baseline"]["falls"][0]["baseline"] == 1.5
    report = evaluate(project, retrieval_evaluation={"record_baseline": True})
    assert report["baseline"]["state"] == "recorded"


def test_settings_are_compared_by_parameters(project: SmallProject) -> None:
    report = evaluate(
        project,
        retrieval={"fusion": {"lexical_weight": 1.0}},
        retrieval_evaluation={"gate": False, "configurations": ["hybrid"]},
    )
    changed = report["baseline"]["changed_settings"]
    assert changed["retrieval.fusion.lexical_weight"][1] == 1.0
    assert list(report["configurations"]) == ["hybrid"]


def test_reranking_is_measured_where_it_is_on(project: SmallProject, tmp_path: Path) -> None:
    model = build_tiny_cross_encoder(tmp_path / "reranker")
    report = evaluate(
        project,
        retrieval={"rerank": {"enabled": True, "model": str(model)}},
        retrieval_evaluation={"gate": False, "configurations": ["hybrid", "hybrid_rerank"]},
    )
    found = report["configurations"]
    assert "rerank" in found["hybrid_rerank"]["milliseconds"]
    assert "rerank" not in found["hybrid"]["milliseconds"]
    assert found["hybrid_rerank"]["degraded"] == {}


def test_an_empty_corpus_names_the_remedy(tmp_path: Path, tiny_model: Path) -> None:
    project = create(tmp_path / "project", tiny_model)
    with pytest.raises(NothingToAskAbout, match="run `kedro run --pipeline=feature`"):
        evaluate(project)


def test_a_run_without_a_name_does_not_measure(project: SmallProject) -> None:
    bootstrap_project(project.path)
    names = {node.name for node in pipelines["__default__"].nodes}
    assert "embed_chunks" in names
    assert "ask_test_questions" not in names
