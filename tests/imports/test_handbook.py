"""The JSON of the LLM Engineer's Handbook, and JSON arrays in general."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from imports.loading import ARTICLE, load, only, reasons
from moodswarm.imports.lines import Limits
from moodswarm.stores.documents.sqlite.store import SqliteDocumentStore


def test_an_article_of_the_handbook_becomes_a_document(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    report = load(store, tmp_path / "ArticleDocument.json", json.dumps([ARTICLE], indent=2))
    assert not report.failed
    document = only(store)
    assert (document.kind, document.platform, document.language) == ("article", "medium", "en")
    assert (document.title, document.content) == ("Title", "Sub\n\nText.")


def test_a_subtitle_that_the_text_has_is_not_repeated(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    content = {
        "Title": "",
        "Subtitle": "A long subtitle",
        "Content": "# T\n\n## A long\nsubtitle\n",
    }
    load(store, tmp_path / "x.json", json.dumps([{**ARTICLE, "content": content}]))
    document = only(store)
    assert (document.title, document.language) == (None, None)
    assert document.content == content["Content"]


def test_a_post_of_the_handbook_needs_no_link(store: SqliteDocumentStore, tmp_path: Path) -> None:
    post = {**ARTICLE, "content": {"Post_0": "One.", "Post_1": "Two."}, "image": "i", "link": None}
    load(store, tmp_path / "PostDocument.json", json.dumps([post]))
    document = only(store)
    assert (document.kind, document.content) == ("post", "One.\n\nTwo.")
    assert document.link == f"https://medium.invalid/{post['_id']}"


def test_a_repository_of_the_handbook_becomes_a_document_for_each_file(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    files = {"README.md": "# Hi", "src/a b.py": "x=1"}
    link = "https://github.com/ada/engine"
    item = {**ARTICLE, "name": "engine", "link": link, "content": files}
    load(store, tmp_path / "RepositoryDocument.json", json.dumps(item, indent=1))
    documents = {d.path: d for page in store.scan_documents() for d in page}
    assert {path: d.content for path, d in documents.items() if path} == files
    assert {d.kind for d in documents.values()} == {"repository"}
    assert len({d.repository_id for d in documents.values()} - {None}) == 1
    assert documents["src/a b.py"].link == f"{link}/src/a%20b.py"


BAD_ITEMS = {
    "text": ({**ARTICLE, "content": {"Content": 7}}, "content.Content: expected text, found int 7"),
    "unknown": ({**ARTICLE, "mood": 1}, r"unknown fields \['mood'\]"),
    "link": ({**ARTICLE, "link": None}, "link: expected str, found NoneType"),
    "repository": ({**ARTICLE, "name": "x", "link": "x"}, "link: expected the address of the repo"),
    "object": ("text", "expected a JSON object, found str 'text'"),
}


@pytest.mark.parametrize(("item", "reason"), BAD_ITEMS.values(), ids=BAD_ITEMS.keys())
def test_a_bad_item_is_named_with_its_line_and_the_others_are_kept(
    store: SqliteDocumentStore, tmp_path: Path, item: Any, reason: str
) -> None:
    data = f"[\n{json.dumps(ARTICLE)},\n{json.dumps(item)}\n]"
    report = load(store, tmp_path / "x.json", data)
    assert report.result.inserted == 1
    ((line, found),) = reasons(report)
    assert line == 3
    assert re.search(reason, found)


@pytest.mark.parametrize(
    ("end", "line", "reason"),
    [
        ("", 2, "broken JSON: expected ',' or ']', the file ends"),
        (',\n{"x": ', 3, "broken JSON: Expecting value at column 7"),
        (" 7]", 2, "broken JSON: expected ',' or ']', found '7]'"),
        ("]\n{}", 3, "broken JSON: expected nothing more, found '{}'"),
    ],
)
def test_items_before_a_broken_place_of_an_array_are_kept(
    store: SqliteDocumentStore, tmp_path: Path, end: str, line: int, reason: str
) -> None:
    report = load(store, tmp_path / "x.json", f"[\n{json.dumps(ARTICLE)}{end}")
    assert report.result.inserted == 1
    assert reasons(report) == [(line, reason)]


def test_an_array_over_the_limit_names_the_remedy(
    store: SqliteDocumentStore, tmp_path: Path
) -> None:
    report = load(store, tmp_path / "x.json", json.dumps([ARTICLE]), limits=Limits(array=100))
    assert "turn it into JSON lines" in reasons(report)[0][1]
