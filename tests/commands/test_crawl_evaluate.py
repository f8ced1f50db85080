"""`moodswarm crawl evaluate`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from moodswarm.commands import main
from moodswarm.extraction.page import extract_page

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


def test_a_page_that_crashes_is_counted_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad", "good"):
        (tmp_path / f"{name}.html").write_text(f"<main><h1>A</h1><p>{name} text</p></main>")
        (tmp_path / f"{name}.md").write_text(f"# A\n\n{name} text")

    def crashing(body: bytes, url: str) -> object:
        if b"bad" in body:
            raise AssertionError("no parent")
        return extract_page(body, url)

    monkeypatch.setattr("moodswarm.evaluation.extraction.pairs.extract_page", crashing)
    code, out, _ = run(tmp_path, "--json", "--failures", 0)
    found = json.loads(out)
    assert (code, found["pages"], found["refused"], found["f1"]) == (0, 2, 1, 0.5)
    assert [score["name"] for score in found["scores"]] == ["bad.html"]
    assert found["scores"][0]["refused"] == "crashed: AssertionError: no parent"


def test_an_unusable_folder_is_named_and_fails(tmp_path: Path) -> None:
    code, _, err = run(tmp_path)
    assert code == 1
    assert f"{tmp_path}: holds no *.html" in err


def test_words_left_out_are_counted_by_reason(tmp_path: Path) -> None:
    text = "<p>The kettle was cold, and so the tea had to wait for another hour.</p>" * 5
    sidebar = '<div class="sidebar"><p>All about the owner of this kettle.</p></div>'
    menu = '<nav><a href="/a">Cups</a></nav>'
    (tmp_path / "tea.html").write_text(f"<main><h1>Tea</h1>{text}</main>{sidebar}{menu}")
    (tmp_path / "tea.md").write_text("# Tea")
    found = json.loads(run(tmp_path, "--json")[1])
    assert found["left_out"] == {"navigation": 8}
    assert found["scores"][0]["left_out"] == {"navigation": 8}
    assert "navigation 8" in " ".join(run(tmp_path)[1].split())
