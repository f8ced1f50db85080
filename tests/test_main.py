"""`python -m moodswarm`, which runs the pipelines of an installed package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.projects import SmallProject, article


@pytest.mark.slow
def test_the_package_runs_a_pipeline_outside_of_its_project(
    tmp_path: Path, tiny_model: Path
) -> None:
    project = SmallProject.create(tmp_path / "project", tiny_model)
    project.upsert([article(1)])
    (project.path / "pyproject.toml").unlink()  # An installed package has no project folder.
    environment = {name: os.environ[name] for name in os.environ if name != "KEDRO_ENV"}
    done = subprocess.run(
        (sys.executable, "-m", "moodswarm", "--pipeline=feature", "--conf-source=conf"),
        cwd=project.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(project.path.glob("data/**/embedded_articles*"))


def test_it_takes_the_options_of_a_run() -> None:
    done = subprocess.run(
        (sys.executable, "-m", "moodswarm", "--help"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "--conf-source" in done.stdout
