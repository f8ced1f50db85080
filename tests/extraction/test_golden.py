"""Pages of many kinds become the articles, or refusals, that are stored beside them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from moodswarm.extraction.article import EXTRACTION_VERSION, Article, Refused
from moodswarm.extraction.page import extract_page

GOLDEN = Path(__file__).parent / "golden"
METADATA = GOLDEN / "metadata.json"
PAGES = sorted((GOLDEN / "articles").glob("*.html"))
REFUSED = sorted((GOLDEN / "refused").glob("*.html"))


def article(page: Path) -> Article:
    found = extract_page(page.read_bytes(), f"https://solano.example/notes/{page.stem}")
    assert isinstance(found, Article), found
    return found


def metadata(found: Article) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(found) | {"content": None}, default=str))


@pytest.fixture(scope="module", autouse=True)
def updated(pytestconfig: pytest.Config) -> None:
    """Write the golden files again if `--update-golden` is given."""
    if not pytestconfig.getoption("--update-golden"):
        return
    found = {page: article(page) for page in PAGES}
    for page, one in found.items():
        page.with_suffix(".md").write_text(one.content + "\n", encoding="utf-8")
    pages = {page.stem: metadata(one) for page, one in found.items()}
    state = {"version": EXTRACTION_VERSION, "pages": pages}
    text = json.dumps(state, indent=2, ensure_ascii=False) + "\n"
    METADATA.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_becomes_this_article(page: Path) -> None:
    found = article(page)
    assert found.content + "\n" == page.with_suffix(".md").read_text("utf-8"), (
        "the output changed: raise EXTRACTION_VERSION and run pytest --update-golden"
    )
    assert metadata(found) == json.loads(METADATA.read_text("utf-8"))["pages"][page.stem]


@pytest.mark.parametrize("page", REFUSED, ids=lambda page: page.stem)
def test_page_is_refused_with_this_reason(page: Path) -> None:
    found = extract_page(page.read_bytes(), "https://solano.example/")
    assert isinstance(found, Refused)
    assert found.reason == page.stem


def test_golden_files_are_of_this_version() -> None:
    assert json.loads(METADATA.read_text("utf-8"))["version"] == EXTRACTION_VERSION
