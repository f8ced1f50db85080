"""`moodswarm crawl evaluate`."""

import json
from pathlib import Path

from click.testing import CliRunner

from moodswarm.commands import main

GOLDEN = Path(__file__).parents[1] / "extraction/golden/articles"


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["crawl", "evaluate", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_measures_are_shown() -> None:
    code, out, _ = run(GOLDEN)
    assert code == 0
    for measure in ("words, F1", "code blocks exact", "headings found", "list items found"):
        assert measure in out


def test_json_is_only_json() -> None:
    code, out, _ = run(GOLDEN, "--json", "--failures", 2)
    found = json.loads(out)
    assert code == 0
    assert found["pages"] == len(list(GOLDEN.glob("*.html")))
    assert found["f1"] == 1.0
    assert len(found["scores"]) == 2


def test_worst_pages_are_named(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/lost.html").write_text("%PDF-1.4")
    (tmp_path / "sub/lost.md").write_text("# A\n\ntext")
    code, out, _ = run(tmp_path)
    assert code == 0
    assert "sub/lost.html" in out
    assert "not_html" in out


def test_an_unusable_folder_is_named_and_fails(tmp_path: Path) -> None:
    code, _, err = run(tmp_path)
    assert code == 1
    assert f"{tmp_path}: holds no *.html" in err
