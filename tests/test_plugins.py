"""Kedro stays fast where kedro-mlflow is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from moodswarm.plugins import refuse_telemetry

pytest.importorskip("kedro_mlflow")

SCRIPT = """
import sys
from click.testing import CliRunner
from moodswarm.plugins import defer_mlflow
defer_mlflow()
from kedro.framework.cli.cli import KedroCLI
from pathlib import Path
cli = KedroCLI(Path({project!r}))
result = CliRunner().invoke(cli, {arguments!r})
assert result.exit_code == 0, result.output
print("mlflow" in sys.modules, "kedro registry" in result.output or result.output)
"""


def run(project: Path, *arguments: str) -> str:
    script = SCRIPT.format(project=str(project), arguments=list(arguments))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=project, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def project() -> Path:
    return Path(__file__).parents[1]


def test_a_command_of_kedro_does_not_import_mlflow(project: Path) -> None:
    output = run(project, "registry", "list")
    assert "False " in output
    assert "feature" in output


def test_nothing_is_sent_unless_somebody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    refuse_telemetry()
    assert os.environ["DO_NOT_TRACK"] == "true"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "false"


def test_the_commands_of_the_plugin_are_there(project: Path) -> None:
    assert "ui" in run(project, "mlflow", "--help")
