"""Any bytes that a browser shows are parsed, and nothing after an odd element is lost."""

import pytest

from moodswarm.extraction.article import Article
from moodswarm.extraction.markdown import html_to_markdown
from moodswarm.extraction.page import extract_page

BASE = "https://solano.example/notes/tea"
CONTROLS = [chr(code) for code in (*range(1, 9), 0xB, 0xC, *range(0xE, 0x20), 0xFFFE, 0xFFFF)]
PLACES = [
    "<p>a{}b</p>",
    "<pre>a{}b</pre>",
    "<p><code>a{}b</code></p>",
    "<p><em>a{}b</em></p>",
    "<p><a href='/a{}b'>c</a></p>",
    "<h2 id='a{}b'>c</h2>",
    "<img src='a.png' alt='a{}b'>",
    "<math><annotation encoding='application/x-tex'>a{}b</annotation></math>",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ["", "&#{};", "&#x{:x};", "&#00{};"])
def test_control_characters_go_and_the_text_stays(place: str, form: str) -> None:
    for control in CONTROLS:
        written = form.format(ord(control)) if form else control
        shown = " " if control in "\x0b\x0c" else ""
        expected = html_to_markdown(place.format(shown), BASE)
        assert html_to_markdown(place.format(written), BASE).split() == expected.split()


def test_pasted_terminal_output_stays() -> None:
    assert html_to_markdown("<pre>a&#27;[31mred</pre>", BASE) == "```\na[31mred\n```"


def test_control_characters_in_the_data_of_a_script_go() -> None:
    text = "<p>The kettle was cold, and so the tea had to wait.</p>" * 9
    data = r'{"@type": "BlogPosting", "headline": "Tea \u001b[1mtime", "author": "Mira\u0007"}'
    page = f'<script type="application/ld+json">{data}</script><article>{text}</article>'
    found = extract_page(page.encode(), BASE)
    assert isinstance(found, Article)
    assert "\x1b" not in f"{found.title} {found.author} {found.content}"
    assert "\x07" not in f"{found.title} {found.author} {found.content}"


@pytest.mark.parametrize(
    "tag", ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
            "track", "wbr", "param", "keygen", "bgsound", "image"]
)  # fmt: skip
@pytest.mark.parametrize("form", ["<{} title='x'>", "<{} title='x'/>", "<{} src=x >", "<{}>"])
def test_nothing_after_a_void_element_is_lost(tag: str, form: str) -> None:
    found = html_to_markdown(f"<div>one {form.format(tag)}<p>two</p></div><p>three</p>", BASE)
    assert found.split() == [*(["one", "---"] if tag == "hr" else ["one"]), "two", "three"]


def test_many_void_elements_are_not_nested() -> None:
    assert html_to_markdown("<p>" + "a<wbr>" * 1_000, BASE) == "a" * 1_000


@pytest.mark.parametrize(
    "start",
    ["<a>", "<a href='javascript:x()'>", "<a href=''>", "<a name='top'>", "<form action='/a'>",
     "<font>", "<span>", "<code>", "<figure>", "<details>"],
)  # fmt: skip
def test_an_article_within_one_element_of_any_kind_is_read(start: str) -> None:
    text = "<p>The kettle was cold, and so the tea had to wait.</p>" * 9
    image = "<img src='/cup.png' alt='A cup'><a href='/x'></a><a><img src='/b.png'></a>"
    end = start.strip("<>").split()[0]
    page = f"<body>{start}<h1>Tea</h1>{image}{text}<a>more</a></{end}></body>"
    found = extract_page(page.encode(), BASE)
    assert isinstance(found, Article), found
    assert found.content.count("kettle") == 9
    assert "![A cup](https://solano.example/cup.png)" in found.content
