"""`kedro run --pipeline=retrieval_evaluation` on a small project."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from e2e.projects import SmallProject, article, post
from evaluation.retrieval.corpora import TEXTS
from models.tiny_cross_encoder import build_tiny_cross_encoder
from moodswarm.evaluation.retrieval.baseline import RetrievalRegressed
from moodswarm.evaluation.retrieval.question_set import NothingToAskAbout

# A long text in which neighbouring chunks match the same questions.
LONG = "\n\n".join(
    f"On the {day} day of the voyage the crew of the ferry counted {what} between the islands, "
    f"and the mate wrote their number, the wind and the tide into the book beside the {place}."
    for day, what, place in (
        ("first", "herring gulls", "compass"),
        ("second", "drifting barrels", "stove"),
        ("third", "lobster pots", "window"),
        ("fourth", "lighthouses", "ladder"),
        ("fifth", "fog signals", "lantern"),
        ("sixth", "broken oars", "anchor"),
        ("seventh", "sleeping seals", "kettle"),
        ("eighth", "sailing boats", "mast"),
    )
)


def create(path: Path, model: Path) -> SmallProject:
    return SmallProject.create(path, model, retrieval_evaluation={"questions": 20})


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> SmallProject:
    """A project with features, already evaluated once; tests work on copies of it."""
    project = create(tmp_path_factory.mktemp("evaluation") / "project", tiny_model)
    project.upsert([article(n, text) for n, text in enumerate((*TEXTS, LONG))])
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


def raise_baseline(project: SmallProject, configuration: str, measure: str, value: float) -> None:
    """Pretend that an earlier run was better."""
    path = reporting(project, "retrieval_baseline.json")
    recorded = json.loads(path.read_text())
    for known in recorded["test_sets"].values():
        known[configuration]["measures"][measure]["value"] = value
    path.write_text(json.dumps(recorded))


def reporting(project: SmallProject, name: str) -> Path:
    return project.path / "data/08_reporting" / name


def test_two_runs_measure_the_same_numbers(project: SmallProject) -> None:
    first = json.loads(reporting(project, "retrieval_report.json").read_text())
    second = evaluate(project)
    for name, found in first["configurations"].items():
        assert second["configurations"][name]["measures"] == found["measures"]
    measured = ["dense", "lexical", "hybrid"]
    nothing: dict[str, Any] = {"falls": [], "changed_settings": {}}
    assert first["baseline"] == {"recorded": measured, "compared": [], "gated": True, **nothing}
    assert second["baseline"] == {"recorded": [], "compared": measured, "gated": True, **nothing}
    count = first["questions"]["count"]
    assert (second["questions"]["kept"], second["questions"]["new"]) == (count, 0)
    assert reporting(project, "retrieval_chart.png").stat().st_size > 1_000
    versions = project.path / "data/05_model_input/retrieval_questions.json"
    assert len(list(versions.iterdir())) == 2


def test_a_worse_setting_fails_after_everything_is_saved(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("retrieval_report.json", "retrieval_chart.png"):
        reporting(project, name).unlink()
    capsys.readouterr()
    raise_baseline(project, "hybrid", "MRR@10", 1.5)
    with pytest.raises(RetrievalRegressed, match=r"MRR@10 of hybrid is .*, the baseline 1\.500"):
        evaluate(project, retrieval={"fusion": {"lexical_weight": 0.0}})
    saved = json.loads(reporting(project, "retrieval_report.json").read_text())
    assert saved["baseline"]["falls"][0]["baseline"] == 1.5
    assert saved["baseline"]["changed_settings"]["retrieval.fusion.lexical_weight"][1] == 0.0
    assert reporting(project, "retrieval_chart.png").exists()
    assert "1 measure is under the baseline of dense, lexical, hybrid." in capsys.readouterr().out
    # The baseline is kept until a new one is requested.
    with pytest.raises(RetrievalRegressed):
        evaluate(project)
    report = evaluate(project, retrieval_evaluation={"record_baseline": True})
    assert report["baseline"]["recorded"] == ["dense", "lexical", "hybrid"]


def test_neighbours_do_not_hide_hits(project: SmallProject) -> None:
    first = json.loads(reporting(project, "retrieval_report.json").read_text())
    alone = evaluate(project, retrieval={"neighbours": {"enabled": False}})
    for name, found in first["configurations"].items():
        assert alone["configurations"][name]["measures"] == found["measures"]
        assert "neighbours" in found["milliseconds"]


def test_questions_whose_chunks_are_gone_are_replaced(project: SmallProject) -> None:
    project.tombstone(article(0, TEXTS[0]), article(1, TEXTS[1]))
    project.run()
    report = evaluate(project)
    assert (report["questions"]["dropped"], report["questions"]["new"]) == (2, 2)
    assert report["questions"]["count"] == 20
    assert report["baseline"]["recorded"] == ["dense", "lexical", "hybrid"]


def test_settings_are_compared_by_parameters(project: SmallProject) -> None:
    report = evaluate(
        project,
        retrieval={"fusion": {"lexical_weight": 1.0}},
        retrieval_evaluation={"gate": False, "configurations": ["hybrid"]},
    )
    changed = report["baseline"]["changed_settings"]
    assert changed["retrieval.fusion.lexical_weight"][1] == 1.0
    assert list(report["configurations"]) == ["hybrid"]


def test_reranking_is_measured_if_it_is_on(project: SmallProject, tmp_path: Path) -> None:
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
