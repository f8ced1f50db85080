"""Class names alone do not decide about text that an author wrote."""

import pytest

from moodswarm.extraction.article import Article
from moodswarm.extraction.page import extract_page

TEXT = "<p>The kettle was cold, and so the tea had to wait for another quarter of an hour.</p>" * 4
MINE = "The pot that my aunt left me holds exactly four cups of marmalade tea."


def content(body: str) -> str:
    page = f"<html><head><title>Tea</title></head><body>{body}</body></html>"
    found = extract_page(page.encode(), "https://solano.example/tea")
    assert isinstance(found, Article), found
    return found.content


@pytest.mark.parametrize(
    "part",
    [
        f'<section class="discussion"><h2>Discussion</h2><p>{MINE}</p></section>',
        f'<div class="copy"><p>{MINE}</p></div>',
        f'<dl class="terms"><dt>Pot</dt><dd>{MINE}</dd></dl>',
        f'<table class="market-share"><tr><th>Pot</th><td>{MINE}</td></tr></table>',
        f'<h2>Tools</h2><ul class="tools"><li>Pot</li><li>{MINE}</li></ul>',
        f'<p class="updated">{MINE}</p>',
        f'<div class="related-work"><p>{MINE}</p></div>',
        f'<div id="search-trees"><p>{MINE}</p></div>',
        f'<ol class="menu"><li>{MINE}</li></ol>',
    ],
)
@pytest.mark.parametrize("after", [TEXT, ""])
def test_a_part_of_the_text_stays_whatever_it_is_called(part: str, after: str) -> None:
    assert MINE in content(f"<main><h1>Tea</h1>{TEXT}{part}{after}</main>")


@pytest.mark.parametrize(
    "word",
    ['<a class="related" href="/n">notebook</a>', '<span class="menu">notebook</span>',
     '<a class="next" href="/n">notebook</a>', '<time class="published">notebook</time>'],
)  # fmt: skip
def test_a_word_in_a_sentence_stays_whatever_it_is_called(word: str) -> None:
    found = content(f"<main><h1>Tea</h1>{TEXT}<p>The {word} explains it.</p>{TEXT}</main>")
    assert "notebook" in found
    assert "explains it." in found


@pytest.mark.parametrize("name", ["hidden", "sr-only", "copy", "headerlink"])
def test_a_hidden_word_or_a_copy_button_in_a_sentence_goes(name: str) -> None:
    word = f'<span class="{name}">notebook</span>'
    part = f"<p>The pot and the {word} explain it.</p>"
    assert "notebook" not in content(f"<main><h1>Tea</h1>{TEXT}{part}{TEXT}</main>")


@pytest.mark.parametrize(
    "name", ["copyNormal", "article-copy", "modal-content", "post-tag", "comments", "share"]
)
def test_the_article_itself_stays_whatever_it_is_called(name: str) -> None:
    menu = "<nav>" + '<a href="/x">Another page of this site</a> ' * 60 + "</nav>"
    other = "<div><p>We send a parcel of our finest teas to all of our readers.</p></div>"
    found = content(f'{menu}<div class="{name}"><h1>Tea</h1>{TEXT}</div>{other}')
    assert found.count("kettle") == 4


@pytest.mark.parametrize(
    "part",
    [
        '<div class="discussion"><a href="/1">Cups are better</a> <a href="/2">No</a></div>',
        '<ul class="terms"><li><a href="/t/tea">tea</a></li><li><a href="/t/pot">pot</a></li></ul>',
        '<p class="updated">2 May 2024</p>',
        '<div class="newsletter"><p>Every month I write a letter about cups to all.</p></div>',
        '<div class="author-bio"><p>Ann has been writing about cups for thirty years.</p></div>',
        '<div class="sidebar"><p>Everything about cups that you ever wanted to know.</p></div>',
    ],
)
def test_links_short_lines_and_certain_names_go(part: str) -> None:
    found = content(f"<main><h1>Tea</h1>{TEXT}{part}</main>")
    assert "cups" not in found.lower()
    assert found.endswith("hour.")


def test_longer_comments_below_a_short_article_go() -> None:
    comments = '<div class="comments"><h3>Comments</h3>' + f"<p>{MINE}</p>" * 20 + "</div>"
    found = content(f"<main><h1>Tea</h1>{TEXT}{comments}</main>")
    assert "aunt" not in found
    assert found.count("kettle") == 4


def test_the_source_of_a_quotation_stays() -> None:
    quote = "<blockquote><p>Tea is wet.</p><footer>My aunt</footer></blockquote>"
    assert "My aunt" in content(f"<main><h1>Tea</h1>{TEXT}{quote}{TEXT}</main>")


ANSWER = "<p>Boil the pot.</p>"


@pytest.mark.parametrize(
    ("control", "panel"),
    [
        ('<ul role="tablist"><li><a role="tab">npm</a></li></ul>', 'role="tabpanel" hidden'),
        ('<button aria-controls="a">How?</button>', 'id="a" style="display:none"'),
        ('<h3><button aria-expanded="false">How?</button></h3>', "hidden"),
        ('<a data-bs-toggle="collapse" href="#a">How?</a>', 'id="a" style="display: none"'),
    ],
)
def test_a_hidden_panel_with_its_control_stays(control: str, panel: str) -> None:
    found = content(f"<main><h1>Tea</h1>{TEXT}{control}<div {panel}>{ANSWER}</div>{TEXT}</main>")
    assert "Boil the pot." in found
    assert ("How?" in found) == ("How?" in control)


@pytest.mark.parametrize(
    ("control", "panel"),
    [
        ("", f"<div hidden>{ANSWER}</div>"),
        (
            '<button aria-controls="m" aria-expanded="false">Menu</button>',
            '<div id="m" hidden><a href="/1">Boil the pot.</a></div>',
        ),
        (
            '<button data-target="#d">Join</button>',
            f'<div id="d" role="dialog" hidden>{ANSWER}</div>',
        ),
    ],
)
def test_other_hidden_parts_go(control: str, panel: str) -> None:
    found = content(f"<main><h1>Tea</h1>{TEXT}{control}{panel}{TEXT}</main>")
    assert "Boil the pot." not in found


def test_a_picture_that_asks_for_money_goes() -> None:
    picture = '<img src="/c.png" alt="Buy me a coffee">'
    button = f'<p><a href="https://www.buymeacoffee.com/ann">{picture}</a></p>'
    assert "coffee" not in content(f"<main><h1>Tea</h1>{TEXT}{button}</main>")
