"""Characters are repaired unless that would change the meaning."""

import pytest

from moodswarm.text.characters import repair_characters, whole_character


@pytest.mark.parametrize(
    ("found", "plain"),
    [
        ("𝗛𝗲𝗹𝗹𝗼 𝘸𝘰𝘳𝘭𝘥 𝟮𝟬", "Hello world 20"),
        ("𝑤ℎ𝑦", "why"),
        ("ＧＰＴ４", "GPT4"),
        ("eﬃcient ﬁle", "efficient file"),
        ("cafe\u0301", "café"),
        ("one\u00a0two\u2009three", "one two three"),
        ("\u00a0\u00a0\u00a0\u00a0indented", "indented"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("bell\x07 nul\x00", "bell nul"),
        ("one\u2028two\x0bthree", "one\ntwo\nthree"),
        ("left\u200eright", "leftright"),
        ("a\ufe0fb", "ab"),
    ],
)
def test_characters_that_read_the_same_become_plain(found: str, plain: str) -> None:
    assert repair_characters(found) == plain


@pytest.mark.parametrize(
    "text",
    [
        "x² + ½ … ™ №",
        "“quotes”, it’s an em—dash",
        "n ∈ ℝ, ℏ",
        "全角，句読点！（はい）",
        "👩‍💻 ❤️ 1️⃣ 🏳️‍🌈 👍🏽 🇩🇪",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200cخواهم",
        "क्\u200dष",
        "ภาษา\u200bไทย",
        "שלום (\u200fhello\u200f)",
        "a  b\tc",
    ],
)
def test_characters_with_a_meaning_are_kept(text: str) -> None:
    assert repair_characters(text) == text


@pytest.mark.parametrize(
    ("text", "position", "place"),
    [
        ("ab", 1, 1),
        ("xe\u0301", 2, 1),
        ("x👩\u200d💻", 3, 1),
        ("x👍🏽", 2, 1),
        ("🇩🇪🇫🇷", 3, 2),
        ("a\r\n", 2, 1),
        ("👩\u200d💻x", 1, 3),
    ],
)
def test_no_visible_character_is_cut(text: str, position: int, place: int) -> None:
    assert whole_character(text, position, 0) == place
