"""Kedro stays fast if kedro-mlflow is installed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from moodswarm.plugins import refuse_telemetry

pytest.importorskip("kedro_mlflow")

SCRIPT = """
import json, sys
from pathlib import Path
from click.testing import CliRunner
from moodswarm.plugins import defer_mlflow
defer_mlflow()
from kedro.framework.cli.cli import KedroCLI
cli = KedroCLI(Path.cwd())
for arguments in (["registry", "list"], ["mlflow", "--help"]):
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    print(json.dumps({"output": result.output, "mlflow": "mlflow" in sys.modules}))
"""


@pytest.fixture(scope="module")
def project() -> Path:
    return Path(__file__).parents[1]


@pytest.fixture(scope="module")
def told(project: Path) -> list[dict[str, Any]]:
    """Return what two commands print, and whether MLflow is loaded after each of them."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, cwd=project, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_command_of_kedro_does_not_import_mlflow(told: list[dict[str, Any]]) -> None:
    listing = told[0]
    assert not listing["mlflow"]
    assert "feature" in listing["output"]


def test_nothing_is_sent_unless_somebody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    refuse_telemetry()
    assert os.environ["DO_NOT_TRACK"] == "true"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "false"


def test_the_commands_of_the_plugin_are_there(told: list[dict[str, Any]]) -> None:
    assert "ui" in told[1]["output"]


UI = """
import shutil, subprocess, sys
from pathlib import Path
from click.testing import CliRunner
from moodswarm.plugins import defer_mlflow
defer_mlflow()
from kedro.framework.cli.cli import KedroCLI
subprocess.call = lambda command: print("called", shutil.which(command[0]), *command[1:])
result = CliRunner().invoke(KedroCLI(Path.cwd()), ["mlflow", "ui", "--port", "5001"])
print(result.output)
assert result.exit_code == 0, repr(result.exception)
"""


def test_the_interface_opens_on_the_recorded_runs(project: Path, tmp_path: Path) -> None:
    copied = tmp_path / "project"
    shutil.copytree(project / "conf", copied / "conf", ignore=shutil.ignore_patterns("local"))
    (copied / "conf/local").mkdir()
    (copied / "src").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(project / name, copied)
    # As in `make mlflow`, the environment's folder of scripts is not on the path.
    bare = {**os.environ, "PATH": os.defpath}
    done = subprocess.run(
        [sys.executable, "-c", UI],
        cwd=copied,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    script = Path(sys.executable).parent / "mlflow"
    assert (
        f"called {script} ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5001"
        in done.stdout
    )
