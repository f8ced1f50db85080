"""The parts of a page that belong to its article, and those that do not."""

import pytest

from moodswarm.extraction.article import Article
from moodswarm.extraction.page import extract_page

TEXT = "<p>The kettle was cold, and so the tea had to wait for another quarter of an hour.</p>" * 4


def content(body: str) -> str:
    page = f"<html><head><title>Tea</title></head><body>{body}</body></html>"
    found = extract_page(page.encode(), "https://solano.example/tea")
    assert isinstance(found, Article), found
    return found.content


@pytest.mark.parametrize("name", ["heading-anchor", "anchor", "header-link", "permalink"])
def test_a_heading_named_after_its_anchor_stays(name: str) -> None:
    part = f'<h2 class="{name}" id="a">Cups</h2>{TEXT}'
    assert "## Cups" in content(f"<main><h1>Tea</h1>{part}</main>")


def test_the_prompts_of_a_notebook_go() -> None:
    cell = '<div class="jp-InputPrompt jp-InputArea-prompt">In&nbsp;[1]:</div><pre>x = 1</pre>'
    found = content(f"<main><h1>Tea</h1>{TEXT}<div>{cell}</div>{TEXT}</main>")
    assert "x = 1" in found
    assert "[1]" not in found


def test_a_date_in_a_bare_italic_above_the_text_goes() -> None:
    assert "2024" not in content(f"<div><h1>Tea</h1><i>02 May 2024</i>{TEXT}</div>")


def test_the_last_of_nested_sections_stays() -> None:
    last = "<section><h2>Author</h2><p>Written by Ann.</p></section>"
    body = f"<section><h1>Tea</h1><section><h2>Cups</h2>{TEXT}</section>{last}</section>"
    assert content(f"<main>{body}</main>").endswith("Written by Ann.")
