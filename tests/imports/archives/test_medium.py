"""Medium's archive becomes articles, and responses become posts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imports.archives.builders import MEDIUM_PROFILE, Contents, medium_post, zipped
from moodswarm.imports.archives.files import ArchiveError

ARTICLE = (
    '<h3 class="graf graf--h3 graf--leading graf--title">The burr</h3>'
    '<p class="graf graf--p">Steel is <em>honest</em>.</p>'
    '<h3 class="graf graf--h3">Stones</h3><h4 class="graf graf--h4">Coarse</h4>'
    '<pre class="graf graf--pre">for stone in stones:<br>    polish(stone)</pre>'
)


def read(tmp_path: Path, posts: dict[str, str | bytes], author: str | None = None) -> Contents:
    files = {f"posts/{name}": page for name, page in posts.items()}
    path = zipped(tmp_path / "export.zip", {**files, "profile/profile.html": MEDIUM_PROFILE})
    return Contents("medium", path, author)


def test_a_story_becomes_an_article(tmp_path: Path) -> None:
    (article,) = read(tmp_path, {"2023-12-07_The-burr-1.html": medium_post("The burr", ARTICLE)})\
        .documents  # fmt: skip
    assert (article.kind, article.platform, article.title) == ("article", "medium", "The burr")
    assert article.link == "https://medium.com/@mira/000000000001"
    assert article.published_at == datetime(2023, 12, 7, 0, 49, 21, 830_000, tzinfo=UTC)
    assert article.author_full_name == "Mira Solano"
    assert article.content.startswith("# The burr\n\nSteel is *honest*.\n\n## Stones\n\n### Coarse")
    assert "for stone in stones:\n    polish(stone)" in article.content


def test_nothing_of_the_page_around_the_story_is_in_it(tmp_path: Path) -> None:
    (article,) = read(tmp_path, {"2023-12-07_a-1.html": medium_post("The burr", ARTICLE)}).documents
    assert article.content.count("The burr") == 1
    for chrome in ("cut off", "Canonical link", "Exported from", "margin", "---", "***"):
        assert chrome not in article.content


def test_all_sections_of_a_story_are_in_it(tmp_path: Path) -> None:
    more = '</div></div></section><section class="section--body"><div><div><p>The end.</p>'
    (article,) = read(tmp_path, {"2023-1.html": medium_post("The burr", ARTICLE + more)}).documents
    assert article.content.endswith("The end.")


def test_a_response_becomes_a_post_without_a_title(tmp_path: Path) -> None:
    response = medium_post("I disagree about the…", "<p>I disagree about the strop.</p>")
    (post,) = read(tmp_path, {"2023-12-07_I-disagree-1.html": response}).documents
    assert (post.kind, post.title) == ("post", None)
    assert post.content == "I disagree about the strop."


def story(tmp_path: Path, body: str) -> str:
    title = '<h3 class="graf graf--h3 graf--title">The burr</h3>'
    pages: dict[str, str | bytes] = {"2023-12-07_a-1.html": medium_post("The burr", title + body)}
    (article,) = read(tmp_path, pages).documents
    return article.content


@pytest.mark.parametrize("heading", ["h1", "h3", "h4"])
def test_a_story_that_was_pasted_in_is_named_by_its_first_heading(
    tmp_path: Path, heading: str
) -> None:
    body = (
        f'<{heading} class="graf graf--h3">The\u00a0 burr</{heading}><p class="graf">Steel.</p>'
        '<h3 class="graf graf--h3">Stones</h3>'
    )
    (article,) = read(tmp_path, {"2023-1.html": medium_post("The burr", body)}).documents
    assert (article.kind, article.title) == ("article", "The burr")
    assert article.content == "# The burr\n\nSteel.\n\n## Stones"


def test_a_response_with_a_heading_of_its_own_is_a_post(tmp_path: Path) -> None:
    body = '<p class="graf">I disagree.</p><h3 class="graf graf--h3">First</h3>'
    (post,) = read(tmp_path, {"2023-1.html": medium_post("I disagree.", body)}).documents
    assert (post.kind, post.title) == ("post", None)


def test_the_subtitle_is_a_paragraph(tmp_path: Path) -> None:
    body = '<h4 class="graf graf--h4 graf--subtitle">On sharpening</h4><p>Steel.</p>'
    assert story(tmp_path, body) == "# The burr\n\nOn sharpening\n\nSteel."


@pytest.mark.parametrize(
    ("language", "fence"), [("python", "```python"), ("c++", "```c++"), ("plaintext", "```\n")]
)
def test_code_keeps_its_language(tmp_path: Path, language: str, fence: str) -> None:
    body = (
        f'<p>See:</p><pre data-code-block-mode="2" data-code-block-lang="{language}" '
        'class="graf graf--pre graf--preV2"><span class="pre--content">x = 1<br>y = 2</span></pre>'
    )
    content = story(tmp_path, body)
    assert fence in content
    assert "x = 1\ny = 2\n```" in content


@pytest.mark.parametrize(
    ("embed", "address"),
    [
        (
            '<script src="https://gist.github.com/mira/0abc.js"></script>',
            "https://gist.github.com/mira/0abc",
        ),
        (
            '<script src="https://gist.github.com/mira/0abc.js?file=a.js"></script>',
            "https://gist.github.com/mira/0abc?file=a.js",
        ),
        (
            '<iframe src="https://www.youtube.com/embed/T1de?feature=oembed"></iframe>',
            "https://www.youtube.com/embed/T1de?feature=oembed",
        ),
    ],
)
def test_an_embed_leaves_its_address_and_its_caption(
    tmp_path: Path, embed: str, address: str
) -> None:
    caption = '<figcaption class="imageCaption">It <em>polishes</em>.</figcaption>'
    figure = f'<figure class="graf graf--figure graf--iframe">{embed}{caption}</figure>'
    content = story(tmp_path, f"<p>The component:</p>{figure}<p>It works.</p>")
    assert content == (
        f"# The burr\n\nThe component:\n\n[{address}]({address})\n\nIt *polishes*.\n\nIt works."
    )


def test_a_card_leaves_its_address_and_not_the_words_of_others(tmp_path: Path) -> None:
    card = (
        '<div class="graf graf--mixtapeEmbed"><a href="https://ana.example/whetstones" '
        'class="markup--anchor markup--mixtapeEmbed-anchor"><strong>Whetstones</strong><br>'
        "<em>All you need to know</em>ana.example</a>"
        '<a href="https://ana.example/whetstones" class="js-mixtapeImage mixtapeImage"></a></div>'
    )
    content = story(tmp_path, f"<p>Read this.</p>{card}<p>Then sharpen.</p>")
    address = "https://ana.example/whetstones"
    assert content == f"# The burr\n\nRead this.\n\n[{address}]({address})\n\nThen sharpen."


def test_drafts_are_skipped(tmp_path: Path) -> None:
    contents = read(
        tmp_path,
        {
            "draft_Not-yet-1.html": medium_post("Not yet", ARTICLE, footer=False),
            "2023-12-07_The-burr-1.html": medium_post("The burr", ARTICLE),
        },
    )
    assert [article.title for article in contents.documents] == ["The burr"]
    assert contents.reasons == ["draft"]


def test_the_name_is_that_of_a_post_if_there_is_no_profile(tmp_path: Path) -> None:
    files = {"medium-export/posts/2023-1.html": medium_post("The burr", ARTICLE)}
    (article,) = Contents("medium", zipped(tmp_path / "export.zip", files)).documents
    assert article.author_full_name == "Mira Solano"


def test_without_any_name_the_option_is_named(tmp_path: Path) -> None:
    files = {"posts/draft_1.html": medium_post("Not yet", ARTICLE, footer=False)}
    with pytest.raises(ArchiveError, match="pass it with --author"):
        Contents("medium", zipped(tmp_path / "export.zip", files))


def test_an_unusable_page_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    contents = read(
        tmp_path,
        {
            "2023-1.html": medium_post("The burr", ARTICLE),
            "2023-2.html": "<html><body><p>Something else.</p></body></html>",
            "2023-3.html": "",
            "2023-4.html": b"\xff\xfe broken",
        },
    )
    assert len(contents.documents) == 1
    assert [(item.where, item.reason) for item in contents.unusable] == [
        ("posts/2023-2.html", "expected a body and a canonical link, as Medium's pages have"),
        ("posts/2023-3.html", "is empty"),
        ("posts/2023-4.html", "not UTF-8: invalid start byte at byte 1"),
    ]


def test_a_page_that_is_nested_without_end_is_named(tmp_path: Path) -> None:
    deep = medium_post("Deep", "<div>" * 30_000 + "words")
    contents = read(
        tmp_path, {"2023-1.html": deep, "2023-2.html": medium_post("The burr", ARTICLE)}
    )
    assert [article.title for article in contents.documents] == ["The burr"]
    assert [item.where for item in contents.unusable] == ["posts/2023-1.html"]


def test_control_characters_and_embedded_pages_lose_nothing(tmp_path: Path) -> None:
    body = (
        '<pre>a&#27;[1mb<br>&#7;c\x0cd</pre><figure class="graf graf--figure graf--iframe">'
        '<script src="https://gist.github.com/mira/0123abcd.js"></script></figure>'
        "<embed src='x.swf'><p>The end.</p>"
    )
    (article,) = read(tmp_path, {"2023-1.html": medium_post("The burr", ARTICLE + body)}).documents
    assert "a[1mb\nc d" in article.content
    assert "](https://gist.github.com/mira/0123abcd)" in article.content
    assert article.content.endswith("The end.")
