"""A run's record in MLflow: nothing of it may get lost, whichever way it is written."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.projects import SmallProject, article, post

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("kedro_mlflow")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# The record of a run in which nothing had changed, as kedro-mlflow 2.0.3 left it.
PARAMETERS = {
    "chunking.article.max_characters": "2000",
    "chunking.article.min_characters": "1000",
    "chunking.article.overlap": "0",
    "chunking.article.unit": "characters",
    "chunking.post.overlap": "25",
    "chunking.post.size": "250",
    "chunking.post.unit": "tokens",
    "chunking.repository.overlap": "100",
    "chunking.repository.size": "1500",
    "chunking.repository.unit": "tokens",
    "cleaning.drop_boilerplate": "True",
    "cleaning.max_characters": "5000000",
    "cleaning.min_characters": "1",
    "embedding.batch_tokens": "None",
    "embedding.device": "auto",
    "embedding.precision": "float32",
    "embedding.threads": "None",
    "engine.address": "local",
    "engine.backend": "in_process",
    "engine.cpus_per_worker": "1.0",
    "engine.gpus_per_worker": "0.0",
    "engine.workers": "1",
    "indexing.from_points": "50000",
    "indexing.unindexed_share": "0.3",
    "lexical.average_terms": "100",
    "lexical.b": "0.75",
    "lexical.k1": "1.2",
    "lexical.language": "english",
    "lexical.query_terms": "128",
    "lexical.title_weight": "1.0",
    "paging.characters": "100000",
    "paging.documents": "256",
}
TAGS = {
    "kedro_command": "kedro run --pipeline=feature",
    "kedro_version": "1.7.0",
    "mlflow.runName": "feature",
    "mlflow.source.type": "LOCAL",
    "pipeline_names": "['feature']",
    "runner": "None",
}
OTHER_TAGS = {"mlflow.source.name", "mlflow.user", "project_path", "run_id"}
METRICS = {
    "chunks": 0,
    "collections.cleaned_articles": 1,
    "collections.cleaned_posts": 1,
    "collections.cleaned_repositories": 0,
    "collections.embedded_articles": 1,
    "collections.embedded_posts": 1,
    "collections.embedded_repositories": 0,
    "coverage": 1,
    "documents.changed": 0,
    "documents.deleted": 0,
    "documents.new": 0,
    "documents.unchanged": 2,
    "over_limit_chunks": 0,
    "tokens": 0,
    "unknown_tokens": 0,
}
TIMED = {
    "seconds.chunk_documents",
    "seconds.clean_documents",
    "seconds.embed_chunks",
    "seconds.index_collections",
    "seconds.plot_chunks",
    "seconds.report_features",
    "seconds.select_changed_documents",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> SmallProject:
    """A project with a first run in MLflow, which made the database and the experiment."""
    project = SmallProject.create(tmp_path_factory.mktemp("tracking") / "project", tiny_model)
    write_settings(project)
    project.upsert([article(1), post(1)])
    project.run()
    return project


def write_settings(project: SmallProject, **tracking: Any) -> None:
    server = {"mlflow_tracking_uri": f"sqlite:///{project.path}/mlflow.db"}
    settings: dict[str, Any] = {"server": server}
    if tracking:
        shipped = yaml.safe_load((project.path / "conf/base/mlflow.yml").read_text())
        settings["tracking"] = shipped["tracking"] | tracking
    (project.path / "conf/local/mlflow.yml").write_text(yaml.safe_dump(settings))


def newest_run(project: SmallProject) -> Any:
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    experiment = client.get_experiment_by_name("moodswarm")
    [run] = client.search_runs([experiment.experiment_id], max_results=1)
    return run


def artifacts(run: Any) -> dict[str, bytes]:
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_leaves_what_it_always_left(project: SmallProject) -> None:
    report = project.run()
    run = newest_run(project)
    assert run.data.params == {
        **PARAMETERS,
        "embedding.model": project.parameters()["embedding"]["model"],
    }
    assert run.data.tags.items() >= TAGS.items()
    assert run.data.tags.keys() == TAGS.keys() | OTHER_TAGS
    assert run.data.metrics.keys() == METRICS.keys() | TIMED
    assert run.data.metrics.items() >= METRICS.items()
    kept = artifacts(run)
    assert kept.keys() == {"chunk_histogram.png", "feature_report.json"}
    assert json.loads(kept["feature_report.json"]) == report
    assert (run.info.run_name, run.info.status) == ("feature", "FINISHED")
