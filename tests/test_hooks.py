"""The hooks that act before, during and after a run."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.runner import SequentialRunner

from e2e.projects import SmallProject, article, post
from evaluation.retrieval.corpora import TEXTS
from moodswarm.evaluation.retrieval.baseline import RetrievalRegressed
from moodswarm.hooks.tracking import feature_metrics
from moodswarm.stores.errors import StoreLocked
from moodswarm.stores.folder_lock import FolderLock

REPORT: dict[str, Any] = {
    "documents": {"new": 2, "changed": 0, "unchanged": 1, "deleted": 0},
    "rejected": {"empty": 1},
    "dropped_characters": {"navigation": 12},
    "coverage": 1.0,
    "chunks": 3,
    "tokens": 300,
    "over_limit_chunks": 0,
    "unknown_tokens": 4,
    "chunk_statistics": {
        "embedded_posts": {"tokens": {"median": 9}, "characters": {"median": 40}},
    },
    "collections": {"embedded_posts": 3},
}


@pytest.fixture
def project(tmp_path: Path, tiny_model: Path) -> SmallProject:
    return SmallProject.create(tmp_path / "project", tiny_model, charts=True)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database, which takes two CPU-seconds to make."""
    mlflow = pytest.importorskip("mlflow")
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


def track(project: SmallProject, database: Path) -> str:
    """Have MLflow record the runs of a project, and return the address of its database."""
    uri = f"sqlite:///{shutil.copy(database, project.path / 'mlflow.db')}"
    (project.path / "conf/local/mlflow.yml").write_text(
        yaml.safe_dump({"server": {"mlflow_tracking_uri": uri}})
    )
    return uri


def evaluate(project: SmallProject) -> dict[str, Any]:
    bootstrap_project(project.path)
    with KedroSession.create(project.path) as session:
        session.run(pipeline_names=["retrieval_evaluation"])
    path = project.path / "data/08_reporting/retrieval_report.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def test_metrics_hold_counts_throughput_and_distribution() -> None:
    metrics = feature_metrics(REPORT, {"embed_chunks": 2.0})
    assert metrics["documents.new"] == 2
    assert metrics["rejected.empty"] == 1
    assert metrics["coverage"] == 1.0
    assert metrics["embedded_posts.tokens.median"] == 9
    assert metrics["tokens_per_second"] == 150
    assert metrics["seconds.embed_chunks"] == 2.0


def test_a_run_without_tokens_has_no_throughput() -> None:
    assert "tokens_per_second" not in feature_metrics({**REPORT, "tokens": 0}, {"embed_chunks": 1})


def test_a_run_prints_what_it_did(
    project: SmallProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project.upsert([article(1), post(1), post(2, "")])
    project.run()
    output = capsys.readouterr().out
    assert "3 new, 0 changed, 0 unchanged, 0 deleted" in output
    assert "empty 1" in output
    assert "100.00%" in output
    assert 'moodswarm search "your question"' in output


def test_a_parameter_that_this_run_does_not_read_is_named(
    project: SmallProject, caplog: pytest.LogCaptureFixture
) -> None:
    bootstrap_project(project.path)
    for given in ({"crawl": {"authors": []}}, {"retrieval": {"k": 7}}):
        with (
            KedroSession.create(project.path, runtime_params=given) as session,
            pytest.raises(ValueError, match="kedro run --pipeline=feature"),
        ):
            session.run(pipeline_names=["retrieval_evaluation"])
    warnings = [r.getMessage() for r in caplog.records if "nothing in this run" in r.getMessage()]
    assert len(warnings) == 1
    assert re.search("reads the parameters crawl; it reads .*, retrieval, ", warnings[0])


def test_a_group_of_parameters_that_no_pipeline_reads_is_refused(project: SmallProject) -> None:
    with pytest.raises(ValueError, match="`chunkin`; did you mean `chunking`"):
        project.run(chunkin={"post": {"size": 20}})
    project.write_parameters({**project.parameters(), "poems": {"k": 1}, "_mine": 2})
    with pytest.raises(ValueError, match="`poems`; known: chunking, cleaning, crawl"):
        project.run()


def test_async_is_refused_with_a_reason_and_frees_the_folder(project: SmallProject) -> None:
    project.upsert([post(1)])
    with pytest.raises(ValueError, match="`--async` cannot be used here"):
        project.run(runner=SequentialRunner(is_async=True))
    lock = FolderLock(project.path / "data/02_intermediate", timeout=0)
    lock.acquire()
    lock.release()


def test_a_run_frees_what_it_locked(project: SmallProject) -> None:
    project.upsert([post(1)])
    project.run()
    for folder in ("data/02_intermediate", "data/04_feature/qdrant"):
        lock = FolderLock(project.path / folder, timeout=0)
        lock.acquire()
        lock.release()


def test_a_failed_run_frees_what_it_locked(project: SmallProject) -> None:
    with pytest.raises(ValueError, match="is empty"):
        project.run()
    lock = FolderLock(project.path / "data/02_intermediate", timeout=0)
    lock.acquire()
    lock.release()


def test_a_run_waits_for_the_folder(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moodswarm.hooks.run_lock.LOCK_TIMEOUT_SECONDS", 0.0)
    held = FolderLock(project.path / "data/02_intermediate", timeout=0)
    held.acquire()
    try:
        project.upsert([post(1)])
        # A process may take its own lock again; another process is told who holds the lock.
        with pytest.raises(StoreLocked, match="02_intermediate"):
            project.run()
    finally:
        held.release()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_records_parameters_and_metrics(project: SmallProject, database: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("kedro_mlflow")
    uri = track(project, database)
    project.upsert([article(1), post(1)])
    project.run()
    project.run()
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("moodswarm")
    second, first = client.search_runs([experiment.experiment_id])
    assert first.data.params["chunking.post.size"] == "250"
    assert (first.data.metrics["documents.new"], first.data.metrics["coverage"]) == (2, 1)
    assert second.data.metrics["documents.unchanged"] == 2
    assert first.info.status == "FINISHED"
    assert "chunk_histogram.png" in {f.path for f in client.list_artifacts(first.info.run_id)}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_the_numbers_of_an_evaluation_that_fell(
    project: SmallProject, database: Path
) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("kedro_mlflow")
    project.upsert([article(n, text) for n, text in enumerate(TEXTS)])
    project.run()
    report = evaluate(project)
    path = project.path / "data/08_reporting/retrieval_baseline.json"
    recorded = json.loads(path.read_text())
    recorded["test_sets"][report["questions"]["version"]]["dense"]["measures"]["nDCG@10"] = {
        "value": 1.5
    }
    path.write_text(json.dumps(recorded))
    uri = track(project, database)
    with pytest.raises(RetrievalRegressed):
        evaluate(project)
    client = mlflow.MlflowClient(uri)
    [run] = client.search_runs([client.get_experiment_by_name("moodswarm").experiment_id])
    measures = report["configurations"]["hybrid"]["measures"]
    assert run.info.status == "FAILED"
    assert run.data.metrics["hybrid.Recall_10"] == measures["Recall@10"]["value"]
    assert run.data.params["retrieval.fusion.method"] == "convex"
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"retrieval_report.json", "retrieval_chart.png"} <= files
