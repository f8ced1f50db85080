"""`moodswarm demo`: crawl, features and search on the sample site, twice."""

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from e2e.projects import ROOT, SmallProject
from models.tiny import build_tiny_checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ARTICLES = 5
LETTERS = 2
FILES = 7


@dataclass(frozen=True)
class Run:
    """The output and the reports of one run of the demo."""

    output: str
    crawl: dict[str, Any]
    features: dict[str, Any]


def run(project: SmallProject, port: int) -> Run:
    program = "from moodswarm.commands import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "demo", "--port", str(port)],
        cwd=project.path,
        env={name: value for name, value in os.environ.items() if name != "KEDRO_ENV"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    reports = (
        json.loads((project.path / f"data/demo/{name}_report.json").read_text())
        for name in ("crawl", "feature")
    )
    return Run(done.stdout, *reports)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Two runs without a browser, even if this machine has one."""
    folder = tmp_path_factory.mktemp("demo")
    project = SmallProject.create(folder / "project", build_tiny_checkpoint(folder / "model"))
    shutil.copytree(ROOT / "data/01_raw/sample_site", project.path / "data/01_raw/sample_site")
    parameters = {**project.parameters(), "crawl": {"browser": {"use": "never"}}}
    demo = project.path / "conf/demo"
    (demo / "parameters_test.yml").write_text(yaml.safe_dump(parameters))
    shutil.copy(project.path / "conf/local/mlflow.yml", demo)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return [run(project, port) for _ in range(2)]


def test_every_article_and_file_is_stored(runs: list[Run]) -> None:
    totals = runs[0].crawl["totals"]
    assert totals["new"] == ARTICLES + LETTERS + FILES
    assert (totals["changed"], totals["unchanged"]) == (0, 0)


def test_failed_pages_are_reported_with_their_reasons(runs: list[Run]) -> None:
    reasons = {
        failure["link"].partition("/")[2].partition("/")[2].partition("/")[2]: failure["reason"]
        for failure in runs[0].crawl["failures"]
    }
    assert reasons.keys() == {"notes/a-lamp-for-comma/", "almanac/"}
    assert "404" in reasons["notes/a-lamp-for-comma/"]
    assert "browser" in reasons["almanac/"]


def test_the_planted_password_is_nowhere(runs: list[Run]) -> None:
    assert sum(source["redacted_secrets"] for source in runs[0].crawl["sources"]) == 1
    assert not any("tr4y-two" in run.output for run in runs)


def test_everything_has_features(runs: list[Run]) -> None:
    assert runs[0].features["documents"]["new"] == ARTICLES + LETTERS + FILES
    assert runs[0].features["rejected"] == {}


def test_hits_are_cited_with_title_and_link(runs: list[Run]) -> None:
    assert "$ moodswarm --env demo search" in runs[0].output
    links = [line.strip() for line in runs[0].output.splitlines() if "https://" in line[:12]]
    assert any(link.startswith("https://mira.localhost:") for link in links)
    assert any(link.startswith("https://code.localhost:") for link in links)


def test_a_second_run_stores_and_embeds_nothing(runs: list[Run]) -> None:
    totals = runs[1].crawl["totals"]
    assert (totals["new"], totals["changed"]) == (0, 0)
    assert runs[1].features["documents"]["unchanged"] == ARTICLES + LETTERS + FILES
    assert runs[1].features["chunks"] == 0
    assert "not the first run here" in runs[1].output
