"""A run's record in MLflow: nothing in it may get lost, whichever way it is written."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import kedro
import pytest
import yaml
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline, node

from e2e.projects import SmallProject, article, post
from moodswarm.hooks.direct_recorder import DirectRecorder
from moodswarm.plugins import refuse_telemetry
from moodswarm.stores.mlflow_runs import KNOWN_LAYOUT

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("kedro_mlflow")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# The record of a run in which nothing had changed, as kedro-mlflow 2.0.3 wrote it.
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
    "kedro_version": kedro.__version__,
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
    """A project whose first run is recorded in MLflow, so the database and experiment exist."""
    folder = tmp_path_factory.mktemp("tracking") / "project"
    project = SmallProject.create(folder, tiny_model, charts=True)
    write_settings(project)
    project.upsert([article(1), post(1)])
    project.run()
    return project


def write_settings(project: SmallProject) -> None:
    server = {"mlflow_tracking_uri": f"sqlite:///{project.path}/mlflow.db"}
    (project.path / "conf/local/mlflow.yml").write_text(yaml.safe_dump({"server": server}))


def settings(project: SmallProject) -> dict[str, Any]:
    shipped = yaml.safe_load((project.path / "conf/base/mlflow.yml").read_text())
    return shipped | yaml.safe_load((project.path / "conf/local/mlflow.yml").read_text())


@pytest.fixture
def without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process look like a process of `kedro run`, which has not imported MLflow."""
    for name in ("mlflow", "IPython"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    refuse_telemetry()
    monkeypatch.setattr("sys.argv", ["/usr/bin/kedro"])


def client_of(project: SmallProject) -> Any:
    return mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")


def newest_run(project: SmallProject) -> Any:
    client = client_of(project)
    experiment = client.get_experiment_by_name("moodswarm")
    [run] = client.search_runs([experiment.experiment_id], max_results=1)
    return run


def artifacts(run: Any) -> dict[str, bytes]:
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("way", ["plugin", "direct"])
def test_a_run_leaves_what_it_always_left(
    project: SmallProject, way: str, request: pytest.FixtureRequest
) -> None:
    if way == "direct":
        request.getfixturevalue("without_mlflow")
    report = project.run()
    assert ("mlflow" in sys.modules) == (way == "plugin")
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


def test_both_ways_write_the_same(project: SmallProject, request: pytest.FixtureRequest) -> None:
    project.run()
    by_plugin = newest_run(project)
    source = sys.argv[0]
    request.getfixturevalue("without_mlflow")
    project.run()
    direct = newest_run(project)
    assert direct.info.run_id != by_plugin.info.run_id
    assert direct.data.params == by_plugin.data.params
    differ = {"run_id", "mlflow.source.name"}
    assert without(direct.data.tags, differ) == without(by_plugin.data.tags, differ)
    assert by_plugin.data.tags["mlflow.source.name"] == source
    assert direct.data.tags["mlflow.source.name"] == "/usr/bin/kedro"
    assert without(direct.data.metrics, TIMED) == without(by_plugin.data.metrics, TIMED)
    assert artifacts(direct) == artifacts(by_plugin)
    own = {"run_id", "artifact_uri", "start_time", "end_time"}
    assert without(dict(direct.info), own) == without(dict(by_plugin.info), own)
    histories = [history(project, run) for run in (direct, by_plugin)]
    assert histories[0] == histories[1]


def without(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def history(project: SmallProject, run: Any) -> list[tuple[str, float, int]]:
    client = client_of(project)
    return [
        (point.key, point.value, point.step)
        for name in METRICS
        for point in client.get_metric_history(run.info.run_id, name)
    ]


RUN_PARAMS: dict[str, Any] = {
    "run_id": "2026-01-02",
    "pipeline_names": ["feature", "crawl"],
    "tags": ["a", "b"],
    "node_names": ["clean_documents"],
    "from_nodes": ["first"],
    "to_nodes": None,
    "from_inputs": [],
    "load_versions": {"questions": "2026"},
    "runtime_params": {"k": 7},
}
NODE = node(print, "params:group", None, name="printed")


def started(project: SmallProject, **changed: Any) -> DirectRecorder:
    recorder = DirectRecorder.open(settings(project) | changed, Pipeline([]), DataCatalog())
    assert recorder
    recorder.start(RUN_PARAMS, Pipeline([]), DataCatalog())
    return recorder


def log(recorder: DirectRecorder, **values: Any) -> None:
    inputs = {f"params:{name}": value for name, value in values.items()} | {"pages": "not logged"}
    recorder.log_inputs(NODE, DataCatalog(), inputs, is_async=False)


def end(recorder: DirectRecorder, error: Exception | None = None) -> None:
    if error:
        recorder.fail(error, RUN_PARAMS, Pipeline([]), DataCatalog())
    else:
        recorder.finish(RUN_PARAMS, Pipeline([]), DataCatalog())


@pytest.mark.usefixtures("without_mlflow")
def test_a_run_can_be_watched_before_it_ends(project: SmallProject) -> None:
    recorder = started(project)
    log(recorder, group={"size": 1, "nested": {"unit": None}}, **{"odd@name": True})
    run = newest_run(project)
    assert (run.info.status, run.info.end_time) == ("RUNNING", None)
    assert run.data.params == {"group.size": "1", "group.nested.unit": "None", "odd_name": "True"}
    assert run.data.tags["runtime_params"] == "{'k': 7}"
    assert run.data.tags["kedro_command"] == (
        "kedro run --from-nodes=first --node=clean_documents --pipeline=feature,crawl"
        " --tag=a,b --load-version=questions:2026"
    )
    end(recorder)
    run = newest_run(project)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "feature+crawl")
    assert run.info.end_time >= run.info.start_time


@pytest.mark.usefixtures("without_mlflow")
def test_a_run_that_failed_is_recorded_as_failed(project: SmallProject) -> None:
    end(started(project), ValueError("no pages"))
    assert newest_run(project).info.status == "FAILED"
    assert "MLFLOW_RUN_ID" not in os.environ


def test_a_node_that_uses_mlflow_itself_continues_the_run(
    project: SmallProject, without_mlflow: None
) -> None:
    recorder = started(project)
    sys.modules["mlflow"] = mlflow
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    mlflow.log_metric("loss", 0.5)
    mlflow.start_run(nested=True, run_name="inner")
    end(recorder)
    assert mlflow.active_run() is None
    client = client_of(project)
    experiment = client.get_experiment_by_name("moodswarm")
    inner, outer = client.search_runs([experiment.experiment_id], max_results=2)
    assert (outer.data.metrics, outer.info.status) == ({"loss": 0.5}, "FINISHED")
    assert inner.data.tags["mlflow.parentRunId"] == outer.info.run_id


@pytest.mark.usefixtures("without_mlflow")
def test_a_parameter_cannot_change_within_a_run(project: SmallProject) -> None:
    recorder = started(project)
    log(recorder, group={"size": 1})
    log(recorder, group={"size": 1, "unit": "tokens"})
    with pytest.raises(ValueError, match=r"group.size is 1 in this run already"):
        log(recorder, group={"size": 2})
    end(recorder)
    assert newest_run(project).data.params == {"group.size": "1", "group.unit": "tokens"}


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize("strategy", ["tag", "truncate", "fail"])
def test_a_long_parameter_goes_where_the_settings_say(project: SmallProject, strategy: str) -> None:
    tracking = settings(project)["tracking"]
    tracking["params"]["long_params_strategy"] = strategy
    recorder = started(project, tracking=tracking)
    if strategy == "fail":
        with pytest.raises(ValueError, match="long_params_strategy"):
            log(recorder, text="x" * 6001)
    else:
        log(recorder, text="x" * 6001)
    end(recorder)
    data = newest_run(project).data
    assert len(data.tags.get("text", "")) == (6001 if strategy == "tag" else 0)
    assert len(data.params.get("text", "")) == (6000 if strategy == "truncate" else 0)


@pytest.mark.usefixtures("without_mlflow")
def test_metrics_are_what_mlflow_makes_of_them(project: SmallProject) -> None:
    recorder = started(project)
    numbers = {"nan": float("nan"), "most": float("inf"), "least": -float("inf"), "yes": True}
    recorder.log_report("report", {"of": Path("a")}, numbers)
    end(recorder)
    direct = newest_run(project)
    client = client_of(project)
    by_mlflow = client.create_run(direct.info.experiment_id).info.run_id
    for name, number in numbers.items():
        client.log_metric(by_mlflow, name, number)
    assert repr(direct.data.metrics) == repr(
        {name: client.get_run(by_mlflow).data.metrics[name] for name in direct.data.metrics}
    )
    assert json.loads(artifacts(direct)["report.json"]) == {"of": "a"}


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"../a": 1}, "the name"), ({"a@b": 1}, "the name"), ({"a": None}, "numbers only")],
)
def test_what_mlflow_refuses_is_refused(
    project: SmallProject, numbers: dict[str, Any], message: str
) -> None:
    recorder = started(project)
    with pytest.raises(recorder.errors, match=message):
        recorder.log_report("report", {}, numbers)
    end(recorder)
    assert newest_run(project).data.metrics == {}


def open_with(project: SmallProject, catalog: DataCatalog, **changed: Any) -> Any:
    nodes = [node(len, name, None) for name in catalog.keys()]  # noqa: SIM118
    return DirectRecorder.open(settings(project) | changed, Pipeline(nodes), catalog)


@pytest.mark.usefixtures("without_mlflow")
def test_other_settings_and_surroundings_are_left_to_the_plugin(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nothing = DataCatalog()
    assert open_with(project, nothing)
    tracking = settings(project)["tracking"]
    experiment = tracking["experiment"]
    for changed in (
        {"server": {"mlflow_tracking_uri": "http://localhost:5000"}},
        {"server": {"mlflow_tracking_uri": f"sqlite:///{tmp_path}/none.db"}},
        {"server": settings(project)["server"] | {"credentials": "mlflow"}},
        {"tracking": tracking | {"run": {"id": "0123"}}},
        {"tracking": tracking | {"misspelt": True}},
        {"tracking": tracking | {"experiment": experiment | {"name": "another"}}},
    ):
        assert open_with(project, nothing, **changed) is None
    assert not (tmp_path / "none.db").exists()
    monkeypatch.setenv("MLFLOW_RUN_ID", "0123")
    assert open_with(project, nothing) is None


@pytest.mark.usefixtures("without_mlflow")
def test_datasets_of_the_plugin_are_left_to_it(project: SmallProject) -> None:
    catalog = DataCatalog.from_config(
        {"scores": {"type": "kedro_mlflow.io.metrics.MlflowMetricsHistoryDataset"}}
    )
    assert open_with(project, catalog) is None


@pytest.mark.usefixtures("without_mlflow")
@pytest.mark.parametrize("ignored", [True, False])
def test_a_commit_that_mlflow_notes_is_left_to_it(
    project: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignored: bool
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("bin/" if ignored else "")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kedro").touch()
    monkeypatch.setattr("sys.argv", [str(tmp_path / "bin/kedro")])
    assert bool(open_with(project, DataCatalog())) == ignored


def test_the_known_layout_is_that_of_the_installed_mlflow(project: SmallProject) -> None:
    # A new release of MLflow may change its tables, and runs are then left to the plugin. Compare
    # the tables with what `MlflowRuns` writes before its constant is set to the new revision.
    with closing(sqlite3.connect(project.path / "mlflow.db")) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (KNOWN_LAYOUT,)
        ]
