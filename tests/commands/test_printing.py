"""Text from outside cannot steer the terminal, whichever command shows it."""

import json
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from e2e.projects import SmallProject, article
from moodswarm.commands import main
from moodswarm.commands.printing import echo, print_json
from moodswarm.pipelines.console import console

Cli = Callable[..., Result]
HOSTILE = "tea\x1b]0;owned\x07\x1b[2K\x9b1A\u202e"
SHOWN = "tea]0;owned[2K1A"


@pytest.fixture
def cli(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    project = SmallProject.create(tmp_path / "project", tiny_model)
    monkeypatch.chdir(project.path)
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    project.upsert([article(1, f"Some {HOSTILE} text.", title=HOSTILE)])
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def steers(output: str) -> bool:
    return any(sign in output for sign in "\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("terminal", [True, False])
def test_the_console_prints_no_escape_of_a_text(terminal: bool) -> None:
    out = console()
    out.file = StringIO()
    out._force_terminal = terminal
    table = Table("what", title=HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Text(HOSTILE))
    for each in (HOSTILE, Text(HOSTILE), Padding(Text(HOSTILE), 1), table):
        out.print(each)
    assert not steers(
        out.file.getvalue().replace("\x1b[3m", "").replace("\x1b[0m", "").replace("\x1b[1m", "")
    )
    assert out.file.getvalue().count(SHOWN) == 6


def test_a_line_keeps_its_own_colour_and_none_of_the_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    echo(HOSTILE, fg="red")
    assert SHOWN in capsys.readouterr().out


def test_json_keeps_every_character_and_steers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"title": HOSTILE})
    output = capsys.readouterr().out
    assert not steers(output)
    assert json.loads(output) == {"title": HOSTILE}


def test_a_sample_is_shown_without_escapes(cli: Cli) -> None:
    SmallProject(Path.cwd()).run()
    for arguments in (("sample", "cleaned_articles"), ("search", "tea"), ("ask", "tea")):
        result = cli(*arguments)
        assert (result.exit_code, steers(result.output)) == (0, False), arguments


def test_the_name_of_an_archives_entry_is_shown_without_escapes(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("profile/profile.html", "<p>Profile</p>")
        archive.writestr(f"posts/2020-01-02_{HOSTILE}\n  failed: 9.html", "\xff no page")
    result = cli("import", "--from", "medium", "--author", "Mira Solano", str(path))
    assert result.exit_code == 1
    assert not steers(result.output)
    assert result.stderr.count("\n  failed: ") <= 1


def test_a_link_and_an_error_are_shown_without_escapes(cli: Cli) -> None:
    unknown = cli("delete", f"https://example.org/{HOSTILE}")
    assert (unknown.exit_code, steers(unknown.output)) == (1, False)
    wrong = cli("sample", HOSTILE)
    assert (wrong.exit_code, steers(wrong.output)) == (2, False)
