"""Embedded gists, videos and posts become links; advertisements and widgets leave nothing."""

import json

import pytest

from moodswarm.extraction.article import Article
from moodswarm.extraction.embeds import embedded_page
from moodswarm.extraction.markdown import html_to_markdown
from moodswarm.extraction.page import extract_page

BASE = "https://solano.example/notes/tea"
TEXT = "<p>The kettle was cold, and so the tea had to wait for another quarter hour.</p>" * 5
EMBEDS = [
    ('<script src="https://gist.github.com/mira/0123abcd.js"></script>',
     "https://gist.github.com/mira/0123abcd"),
    ('<script src="//gist.github.com/0123abcd.js?file=a.py"></script>',
     "https://gist.github.com/0123abcd"),
    ('<script src="https://asciinema.org/a/14.js" id="asciicast-14" async></script>',
     "https://asciinema.org/a/14"),
    ('<iframe src="https://www.youtube-nocookie.com/embed/a-b_c?rel=0" allowfullscreen></iframe>',
     "https://www.youtube.com/watch?v=a-b_c"),
    ('<iframe src="about:blank" data-src="//www.youtube.com/embed/abc"></iframe>',
     "https://www.youtube.com/watch?v=abc"),
    ('<iframe src="https://player.vimeo.com/video/12?h=x"></iframe>', "https://vimeo.com/12"),
    ('<iframe src="https://mastodon.example/@mira/12/embed"></iframe>',
     "https://mastodon.example/@mira/12"),
    ('<figure class="graf graf--iframe"><iframe src="https://any.example/w"></iframe></figure>',
     "https://any.example/w"),
    ('<object data="//youtube.com/v/abc"><embed src="//youtube.com/v/abc"></object>',
     "https://www.youtube.com/watch?v=abc"),
    ('<object><param name="movie" value="https://www.youtube.com/v/abc&amp;hl=en"></object>',
     "https://www.youtube.com/watch?v=abc"),
    ('<embed src="/slides.pdf">', "https://solano.example/slides.pdf"),
    ('<video controls><source src="/boil.webm"><source src="/boil.mp4"></video>',
     "https://solano.example/boil.webm"),
    ('<audio src="/boil.mp3"></audio>', "https://solano.example/boil.mp3"),
    ('<lite-youtube videoid="abc"></lite-youtube>', "https://www.youtube.com/watch?v=abc"),
]  # fmt: skip


@pytest.mark.parametrize(("html", "page"), EMBEDS)
def test_an_embed_leaves_a_link(html: str, page: str) -> None:
    assert html_to_markdown(f"<p>a</p>{html}<p>b</p>", BASE) == f"a\n\n[{page}]({page})\n\nb"
    whole = f"<main><h1>Tea</h1>{TEXT}{html}{TEXT}</main>"
    found = extract_page(whole.encode(), BASE)
    assert isinstance(found, Article)
    assert f"]({page})" in found.content


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://platform.twitter.com/widgets.js"></script>',
        '<script src="/site.js"></script><script>var a = "gist.github.com/a/1.js"</script>',
        '<iframe src="https://ads.example/banner"></iframe><iframe src="/comments"></iframe>',
        '<iframe src="javascript:x()"></iframe><iframe srcdoc="a"></iframe><iframe></iframe>',
        '<iframe src="http://[bad"></iframe><video src="blob:https://a.example/1"></video>',
        '<lite-youtube videoid="a b"></lite-youtube><object data="/player.swf"></object>',
    ],
)
def test_a_widget_leaves_nothing(html: str) -> None:
    assert html_to_markdown(f"<p>a</p>{html}<p>b</p>", BASE) == "a\n\nb"


def test_a_frame_within_a_paragraph_leaves_its_text_alone() -> None:
    html = '<p>See <iframe src="https://vimeo.com/1"></iframe> and wait.</p>'
    expected = "See [https://vimeo.com/1](https://vimeo.com/1) and wait."
    assert html_to_markdown(html, BASE) == expected


def test_an_address_without_a_better_page_stays() -> None:
    assert embedded_page("https://a.example/b?c=d") == "https://a.example/b?c=d"


def test_what_a_medium_story_embeds_leaves_a_link() -> None:
    gist = "https://gist.github.com/mira/0123abcd"
    state = {
        "Post:a1": {
            "title": "Tea",
            "content": {"bodyModel": {"paragraphs": [
                {"type": "P", "text": "See this:"},
                {"type": "IFRAME", "text": "Boiling.",
                 "iframe": {"mediaResource": {"__ref": "MediaResource:1"}}},
                {"type": "IFRAME", "text": "", "iframe": {"mediaResource": None}},
            ]}},
        },
        "MediaResource:1": {"id": "1", "href": gist, "iframeSrc": ""},
    }  # fmt: skip
    page = f"<script>window.__APOLLO_STATE__ = {json.dumps(state)}</script><p>x</p>"
    found = extract_page(page.encode(), "https://medium.com/@mira/tea-a1")
    assert isinstance(found, Article)
    assert found.content == f"# Tea\n\nSee this:\n\n[{gist}]({gist})\n\nBoiling."
