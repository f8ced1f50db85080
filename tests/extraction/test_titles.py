"""The title of an article, even if the page's own title is the name of the site."""

import pytest

from moodswarm.extraction.article import Article
from moodswarm.extraction.page import extract_page

TEXT = "<p>The kettle was cold, and so the tea had to wait for another quarter of an hour.</p>" * 4
LOGO = '<header><a href="/">Ann writes</a></header>'


def article(title: str, body: str) -> Article:
    page = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    found = extract_page(page.encode(), "https://solano.example/tea")
    assert isinstance(found, Article), found
    return found


@pytest.mark.parametrize(
    "body",
    [
        f'<h1><a href="/">Ann writes</a></h1><main><h2 class="p-name">The pot</h2>{TEXT}</main>',
        f'{LOGO}<h1>Ann writes</h1><main><h2 class="entry-title">The pot</h2>{TEXT}</main>',
        f"{LOGO}<h1>Ann writes</h1><article><h2>The pot</h2>{TEXT}<h2>Cups</h2>{TEXT}</article>",
        f'<main><h3 itemprop="headline">The pot</h3>{TEXT}</main>',
    ],
)
def test_the_name_of_the_site_is_not_the_title(body: str) -> None:
    found = article("Ann writes", body)
    assert found.title == "The pot"
    assert found.content.startswith("# The pot\n\nThe kettle")


@pytest.mark.parametrize(
    "body",
    [
        f'<main><h1>The pot</h1>{TEXT}</main><div><h3 class="post-title">Cups</h3></div>',
        f'<main><h1>The pot</h1>{TEXT}<ul><li><h3 class="post-title">Cups</h3></li></ul></main>',
        f"{LOGO}<article><h1>The pot</h1>{TEXT}<h2>Cups</h2>{TEXT}</article>",
    ],
)
@pytest.mark.parametrize("title", ["The pot", "The pot - Ann writes"])
def test_another_heading_is_not_the_title(title: str, body: str) -> None:
    assert article(title, body).title == "The pot"


def test_a_line_break_in_a_title_is_a_space() -> None:
    assert article("Ann", f"<main><h1>The<br>pot</h1>{TEXT}</main>").title == "The pot"


@pytest.mark.parametrize("date", ["2 May 2024", "Thursday, May 2, 2024"])
def test_a_date_in_an_abbreviation_above_the_title_goes(date: str) -> None:
    body = f'<main><abbr title="2024-05-02">{date}</abbr><h1>The pot</h1>{TEXT}</main>'
    assert article("The pot", body).content.startswith("# The pot\n\nThe kettle")
