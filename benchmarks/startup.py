"""Measure the start-up time of commands, in CPU-seconds.

Run: python benchmarks/startup.py

Copies the project's configuration to a temporary folder, makes features of the sample corpus
there, and then measures commands as whole processes. The rival of each command is Kedro alone:
`kedro registry list` in an empty project. If kedro-mlflow is installed, a run in which nothing
changed is measured in three ways: recorded by our own code (the default), recorded by
kedro-mlflow's own hook (used whenever an MLflow variable is set), and not recorded.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
RUNS = 5
UNRECORDED = "unrecorded"

EMPTY_REGISTRY = """\
from kedro.pipeline import Pipeline


def register_pipelines():
    return {"__default__": Pipeline([])}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        project, empty = Path(folder) / "project", Path(folder) / "empty"
        lay_out_project(project)
        lay_out_empty_project(empty)
        kedro, moodswarm = str(BIN / "kedro"), str(BIN / "moodswarm")
        sample = sorted(str(path) for path in (ROOT / "data/01_raw/sample").glob("*.jsonl"))
        run([moodswarm, "import", *sample], project)
        first = cpu_seconds([kedro, "run", "--pipeline=feature"], project)
        cases = {
            "kedro registry list, empty project": ([kedro, "registry", "list"], empty),
            "kedro registry list": ([kedro, "registry", "list"], project),
            "python -c 'import moodswarm'": ([sys.executable, "-c", "import moodswarm"], project),
            "moodswarm --help": ([moodswarm, "--help"], project),
            "moodswarm collections": ([moodswarm, "collections"], project),
            "moodswarm search": ([moodswarm, "search", "tea"], project),
            "kedro run, nothing changed": ([kedro, "run", "--pipeline=feature"], project),
        }
        if find_spec("kedro_mlflow"):
            by_plugin = ["env", "MLFLOW_LOGGING_LEVEL=INFO", kedro, "run", "--pipeline=feature"]
            unrecorded = [kedro, "run", "--pipeline=feature", f"--env={UNRECORDED}"]
            cases["kedro run, recorded by the plugin"] = (by_plugin, project)
            cases["kedro run, not recorded"] = (unrecorded, project)
        seconds = {name: median_cpu_seconds(*case) for name, case in cases.items()}
    seconds["kedro run, first time (once)"] = first
    rival = seconds["kedro registry list, empty project"]
    print(f"{'command':38} {'CPU-s':>7} {'beyond Kedro':>13}")
    for name, value in seconds.items():
        print(f"{name:38} {value:7.2f} {value - rival:+13.2f}")
    if options.json:
        options.json.write_text(json.dumps(seconds, indent=2))


def lay_out_project(folder: Path) -> None:
    """Copy the files that a run needs, so that the user's own stores are not touched."""
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf/local").mkdir()
    (folder / "src").mkdir()
    (folder / "conf" / UNRECORDED).mkdir()
    (folder / "conf" / UNRECORDED / "mlflow.yml").write_text(
        "tracking: {disable_tracking: {pipelines: [feature]}}\n"
    )
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder)


def lay_out_empty_project(folder: Path) -> None:
    """Write the smallest project that Kedro accepts."""
    package = folder / "src" / "empty_project"
    package.mkdir(parents=True)
    for name in ("base", "local"):
        (folder / "conf" / name).mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "settings.py").touch()
    (package / "pipeline_registry.py").write_text(EMPTY_REGISTRY)
    (folder / ".telemetry").write_text("consent: false\n")
    (folder / "pyproject.toml").write_text(
        "[tool.kedro]\npackage_name = 'empty_project'\nproject_name = 'Empty'\n"
        "kedro_init_version = '1.7.0'\nsource_dir = 'src'\n"
    )


def median_cpu_seconds(command: Sequence[str], folder: Path) -> float:
    """Return the median over several runs, after a first run that warms the caches."""
    cpu_seconds(command, folder)
    return statistics.median(cpu_seconds(command, folder) for _ in range(RUNS))


def cpu_seconds(command: Sequence[str], folder: Path) -> float:
    """Return the user and system time of one run of a command, including its child processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(command: Sequence[str], folder: Path) -> None:
    """Run a command to its end and show its output only if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
