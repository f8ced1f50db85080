"""Texts in scripts without spaces between words are articles like any other."""

import pytest

from moodswarm.extraction.article import Article
from moodswarm.extraction.page import extract_page
from moodswarm.extraction.tree import parse_fragment
from moodswarm.extraction.words import count_words, words_in

SENTENCES = [
    "やかんが冷たかったので、お茶はもう少し待たなければならなかった。",
    "水壶是凉的，所以茶还得再等上一刻钟，我们就坐在窗边看雨。",
    "กาน้ำเย็นแล้วชาจึงต้องรออีกสิบห้านาทีเรานั่งดูฝนที่ริมหน้าต่าง",
    "កំសៀវត្រជាក់ដូច្នេះតែត្រូវរង់ចាំដប់ប្រាំនាទីទៀតយើងអង្គុយមើលភ្លៀង",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_long_text_needs_no_browser(sentence: str) -> None:
    text = f"<p>{sentence}</p>" * 40
    menu = "".join(f'<li><h3><a href="/notes/{i}">{sentence[:8]}</a></h3></li>' for i in range(8))
    page = f'<div id="root"></div><script>1</script><h1>{sentence[:5]}</h1>{text}<ul>{menu}</ul>'
    found = extract_page(
        f'<meta charset="utf-8">{page}'.encode(), "https://solano.example/articles"
    )
    assert isinstance(found, Article), found
    assert found.content.count(sentence) == 40


@pytest.mark.parametrize("sentence", SENTENCES)
def test_words_are_estimated_where_no_spaces_are(sentence: str) -> None:
    assert 8 <= count_words(sentence) <= 20


@pytest.mark.parametrize(
    ("text", "words"), [("", 0), ("two words", 2), ("\u00e0 la carte", 3), ("Go\u8a00\u8a9e", 2)]
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count_words(text) == words


def test_neighbouring_blocks_need_no_space_between_them() -> None:
    root = parse_fragment("<p>One two.</p><p>Three.</p>")
    assert root is not None
    assert words_in(root) == 3
