"""Ignore patterns, decoding, languages and licences, each on its own."""

import json
import subprocess
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identify.vendor.licenses import LICENSES

from moodswarm.crawl.repositories.licences import licence_of, spdx
from moodswarm.crawl.repositories.text import LeftOut, language_of, text_of
from moodswarm.crawl.repositories.tree import Entry, ignore_rules
from moodswarm.crawl.spec import Repositories

PATTERNS = [
    ("node_modules/", "a/node_modules/b.js", True),
    ("node_modules/", "node_modules", False),
    ("*.min.js", "web/a.min.js", True),
    ("*.lock", "poetry.lock", True),
    ("*.lock", "lock.py", False),
    ("/docs/", "docs/a.md", True),
    ("/docs/", "src/docs/a.md", False),
    ("docs/api/", "docs/api/a.md", True),
    ("docs/*.md", "docs/a/b.md", False),
    ("a/**/z.py", "a/z.py", True),
    ("a/**/z.py", "a/b/c/z.py", True),
    ("**/gen/*.py", "x/gen/a.py", True),
    ("gen/**", "gen/a/b.py", True),
    ("file[0-9].py", "file7.py", True),
    ("file[!0-9].py", "file7.py", False),
    ("a?c", "abc", True),
    ("a.c", "abc", False),
    ("name", "name/inside.py", True),
    (r"\#x", "#x", True),
    (r"\!x", "!x", True),
    ("a[/]b", "a/b", False),
    ("/", "a", False),
    ("!", "a", False),
]


@pytest.mark.parametrize(("pattern", "path", "ignored"), PATTERNS)
def test_patterns_mean_what_they_mean_to_git(
    tmp_path: Path, pattern: str, path: str, ignored: bool
) -> None:
    (tmp_path / ".gitignore").write_text(f"{pattern}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    asked = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=tmp_path, check=False)
    assert ignore_rules([pattern]).match_file(path) == ignored == (asked.returncode == 0)


def test_the_last_pattern_decides() -> None:
    rules = ignore_rules(["*.md", "!README.md", "# comment", ""])
    assert rules.match_file("a.md")
    assert not rules.match_file("README.md")


def test_a_file_in_an_ignored_folder_can_be_taken_back() -> None:
    assert not ignore_rules(["docs/", "!docs/keep.md"]).match_file("docs/keep.md")


def test_the_default_patterns_leave_code_alone() -> None:
    rules = ignore_rules(Repositories().ignore)
    paths = ["src/build.py", "distance/a.py", "README.md", "vendors.py", "a.mapper.py"]
    assert not [path for path in paths if rules.match_file(path)]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=200))
def test_utf8_is_kept_exactly(text: str) -> None:
    found = text_of(text.encode(), None)
    assert found == text.removeprefix("\ufeff") or text.startswith("\ufeff")


@given(st.binary(max_size=300))
def test_any_bytes_give_text_or_a_reason(data: bytes) -> None:
    found = text_of(data, None)
    assert isinstance(found, LeftOut) or "\0" not in found


def test_other_alphabets_are_not_guessed() -> None:
    data = "Привет, мир! Это старый файл.\n".encode("koi8-r")
    assert text_of(data, None) == LeftOut("not_text")


JAPANESE = "# 設定ファイルを読み込む。\nlimit = 9  # データベースに接続します\n"


@pytest.mark.parametrize("encoding", ["shift_jis", "cp932", "euc_jp", "iso2022_jp"])
@pytest.mark.parametrize("code", ["", "def f(x):\n    return x + 1\n" * 200])
def test_japanese_is_told_by_its_kana(encoding: str, code: str) -> None:
    text = code + JAPANESE + code
    assert text_of(text.encode(encoding), "python") == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("koi8-r", "Привет, мир! Это старый файл.\n"),
        ("cp1251", "Привет, мир! Это старый файл.\n"),
        ("gb18030", "读取配置文件，连接数据库，处理错误信息。\n"),
        ("big5", "讀取設定檔案，連接資料庫，處理錯誤訊息。\n"),
        ("euc_kr", "설정 파일을 읽는다. 데이터베이스에 연결한다.\n"),
    ],
)
def test_the_encoding_that_a_file_states_is_believed(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding), None) == LeftOut("not_text")
    for line in (f"# -*- coding: {encoding} -*-\n", f'<?xml encoding="{encoding}"?>\n'):
        assert text_of((line + text).encode(encoding), None) == line + text


@pytest.mark.parametrize("stated", ["klingon", "rot13", "unicode_escape", "idna", "utf-8"])
def test_a_stated_encoding_that_is_of_no_use_is_passed_over(stated: str) -> None:
    text = f"# coding: {stated}\n# café\n"
    assert text_of(text.encode("latin-1"), "python") == text


@pytest.mark.parametrize("text", ["naïve café \n" * 20, "x = 1  # plain\n" * 100])
def test_a_broken_byte_costs_itself_alone(text: str) -> None:
    assert text_of(text.encode() + b"\x81\n", None) == text + "\ufffd\n"


def notebook(*cells: object, **fields: object) -> bytes:
    return json.dumps({"cells": cells, "nbformat": 4} | fields).encode()


def test_a_notebook_is_its_cells_without_outputs() -> None:
    plot = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo" * 9_000}}
    data = notebook(
        {"cell_type": "markdown", "source": ["# Tea\n", "\n", "It steeps."]},
        {"cell_type": "code", "source": "plot(x)\n", "outputs": [plot], "execution_count": 1},
        {"cell_type": "code", "source": ['t = """\n', "```\n", '"""']},
        {"cell_type": "markdown", "source": f"![a](data:image/png;base64,{'iVBO' * 9_000})"},
        {"cell_type": "raw", "source": " \n"},
        None,
        metadata={"kernelspec": {"language": "R"}},
    )
    assert text_of(data, "jupyter") == (
        "# Tea\n\nIt steeps.\n\n```r\nplot(x)\n```\n\n"
        '````r\nt = """\n```\n"""\n````\n\n![a](data:,)\n'
    )


def test_a_notebook_of_an_older_format_is_read_too() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Tea"]},
        {"cell_type": "code", "input": ["x = 1"], "language": "python"},
    ]
    data = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}).encode()
    assert text_of(data, "jupyter") == "## Tea\n\n```python\nx = 1\n```\n"


@pytest.mark.parametrize("data", [b"{}", b"[]", b"{", b"[" * 900, b'{"cells": {}}', b"words"])
def test_what_is_no_notebook_stays_as_it_is(data: bytes) -> None:
    assert text_of(data, "jupyter") == data.decode()


CELL_FIELDS = st.sampled_from(["cell_type", "source", "input", "level"])
ANY_JSON = st.recursive(
    st.none() | st.text() | st.integers() | st.sampled_from(["code", "heading"]),
    lambda inner: st.lists(inner) | st.dictionaries(CELL_FIELDS, inner),
)


@given(ANY_JSON)
def test_any_cells_give_a_text(cells: object) -> None:
    assert isinstance(text_of(notebook(cells, cells=cells), "jupyter"), str)


def test_a_paragraph_may_be_one_long_line() -> None:
    data = b"words " * 1_500
    assert text_of(data, "markdown") == data.decode()
    assert text_of(data, "javascript") == LeftOut("long_lines")


@pytest.mark.parametrize(
    ("path", "first", "language"),
    [
        ("a.py", b"", "python"), ("b.hpp", b"", "c++"), ("c.ts", b"", "ts"),
        ("Dockerfile", b"", "dockerfile"), ("x.yml", b"", "yaml"), ("z.zsh", b"", "shell"),
        ("run", b"#!/usr/bin/perl -w\n", "perl"), ("run", b"#!" + b"'" * 900, None),
        ("run", b"#!\n", None), ("README.md", b"", "markdown"), ("x.unheard", b"", None),
    ],
)  # fmt: skip
def test_languages_are_named(path: str, first: bytes, language: str | None) -> None:
    assert language_of(path, first) == language


@pytest.mark.parametrize("name", ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0", "ISC"])
def test_known_licence_texts_are_named(name: str) -> None:
    text = dict(LICENSES)[name]
    narrow = "\n\n".join(textwrap.fill(part, 50) for part in text.split("\n\n"))
    assert spdx(f"Copyright (c) 2024 Ada Lovelace\n\n{text}") == name
    assert spdx(narrow.replace("[fullname]", "Ada Lovelace")) == name


@pytest.mark.parametrize("text", ["All rights reserved.", "", "Do what you like. " * 40])
def test_other_texts_are_no_licence(text: str) -> None:
    assert spdx(text) is None


def test_several_licences_all_count() -> None:
    texts = dict(LICENSES)
    files = {"LICENSE-MIT": texts["MIT"], "LICENSE-APACHE": texts["Apache-2.0"], "a.py": "x"}
    entries = [Entry(path, "0" * 40, len(text)) for path, text in files.items()]
    assert licence_of(entries, lambda entry: files[entry.path]) == "Apache-2.0 AND MIT"


def test_a_licence_of_a_part_is_not_that_of_the_whole() -> None:
    entry = Entry("part/LICENSE", "0" * 40, 10)
    assert licence_of([entry], lambda _: dict(LICENSES)["MIT"]) is None
