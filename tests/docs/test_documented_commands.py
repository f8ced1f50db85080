"""Runs every command in the documentation, in order, in a single project."""

import os
import re
import shlex
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.startup import bootstrap_project

from e2e.projects import ROOT, SmallProject
from moodswarm.commands import main

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

#: Beginnings of commands that are not run here, and why.
LEFT_OUT = {
    "git clone": "needs the network",
    "python3.11 -m venv": "the environment of this test",
    "pip install": "needs the network",
    "source ": "the environment of this test",
    "export ": "sets a variable",
    "docker ": "needs Docker; tests/docs/test_docs.py compares compose.yml with the client",
    "python -m pytest": "this very suite",
    "make ": "calls the commands that are run here; its targets are checked in test_docs.py",
    "moodswarm --env server": "needs servers; tests/e2e/test_servers.py",
    "kedro run --pipeline=feature --env server": "needs servers; tests/e2e/test_servers.py",
    "kedro run --pipeline=feature --env ray": "tests/e2e/test_engines_agree.py",
    "kedro run --pipeline=feature --params engine.backend=ray": "tests/e2e/test_engines_agree.py",
    "moodswarm demo": "tests/e2e/test_demo.py",
    "kedro run --pipeline=crawl": "tests/e2e/test_crawl.py",
    "kedro run --pipeline=retrieval_evaluation": "tests/e2e/test_retrieval_evaluation.py",
    "moodswarm import --from": "tests/commands/test_import_archives.py",
    "moodswarm llm check": "tests/commands/test_llm.py",
    "moodswarm retrieval evaluate": "tests/commands/test_retrieval_evaluate.py",
}
#: A crawl of no one, then the features; run as the other feature runs are.
CRAWL_AND_FEATURES = "kedro run"


def documented() -> list[str]:
    """Return each command once, in the order of the pages; after a deletion, runs come again."""
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```bash\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    ]
    lines = (line.split(" #")[0].strip() for block in blocks for line in block.splitlines())
    found: list[str] = []
    for command in (line.removeprefix(".venv/bin/") for line in lines if line):
        if command not in found or (command.startswith("kedro") and "delete" in found[-1]):
            found.append(command)
    return found


def is_left_out(command: str) -> bool:
    return command == CRAWL_AND_FEATURES or command.startswith(tuple(LEFT_OUT))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> SmallProject:
    """A project with a few documents of the sample corpus, and the files that the pages name."""
    made = SmallProject.create(tmp_path_factory.mktemp("documented") / "project", tiny_model)
    sample = made.path / "data/01_raw/sample"
    sample.mkdir(parents=True)
    for file in (ROOT / "data/01_raw/sample").glob("*.jsonl"):
        with file.open(encoding="utf-8") as lines:
            (sample / file.name).write_text("".join(islice(lines, 3)), encoding="utf-8")
    line = (
        '{"kind": "%s", "platform": "blog", "link": "https://example.org/%s", '
        '"author_full_name": "Mira Solano", "content": "The kettle knows before you do."}\n'
    )
    (made.path / "my-articles.jsonl").write_text(line % ("article", "oops"))
    (made.path / "my-posts.jsonl").write_text(line % ("post", "1"))
    return made


def run(command: str, folder: Path) -> Result:
    """Run a command as a shell would, but in this process."""
    words = shlex.split(command)
    variables = {}
    while re.fullmatch(r"[A-Z_]+=.*", words[0]):
        name, _, variables[name] = words.pop(0).partition("=")
    program, *arguments = words
    expanded = [
        found
        for word in arguments
        for found in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    runner: Any = CliRunner(env=variables)
    if program == "moodswarm":
        return runner.invoke(main, expanded)
    assert (program, expanded[0]) == ("kedro", "run"), f"say in LEFT_OUT why {command} is not run"
    return runner.invoke(kedro_run, expanded[1:], obj=bootstrap_project(folder))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Option '--pipeline' is deprecated")
def test_every_documented_command_runs(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.path)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    for command in documented():
        if is_left_out(command):
            continue
        result = run(command, project.path)
        assert result.exit_code == 0, f"{command}: {result.output} {result.exception!r}"
    assert os.environ.get("MOODSWARM_LLM_PROFILE") is None


def test_nothing_is_left_out_that_no_page_says() -> None:
    commands = documented()
    for start in (*LEFT_OUT, CRAWL_AND_FEATURES):
        assert any(command.startswith(start) for command in commands), start
