"""Lines that belong together form blocks, and code is distinguished from prose."""

from hypothesis import given, settings

from moodswarm.text.blocks import Kind, split_blocks, split_lines
from text.strategies import awkward_texts


def kinds(text: str) -> list[tuple[Kind, str]]:
    return [(block.kind, text[block.start : block.end]) for block in split_blocks(text)]


@settings(deadline=None)
@given(awkward_texts)
def test_joined_lines_are_the_text(text: str) -> None:
    assert "".join(split_lines(text)) == text


@settings(deadline=None)
@given(awkward_texts)
def test_only_blank_lines_are_between_blocks(text: str) -> None:
    end = 0
    for block in split_blocks(text):
        assert end <= block.start < block.end
        assert not text[end : block.start].strip(" \t\r\n")
        end = block.end
    assert not text[end:].strip(" \t\r\n")


def test_a_document_is_split_into_its_blocks() -> None:
    text = "# Title\nOne\ntwo\n\n- item\n  goes on\n- next\n\n```py\nx\n\ny\n```\nend"
    assert kinds(text) == [
        (Kind.HEADING, "# Title"),
        (Kind.PROSE, "One\ntwo"),
        (Kind.LIST_ITEM, "- item\n  goes on"),
        (Kind.LIST_ITEM, "- next"),
        (Kind.FENCED, "```py\nx\n\ny\n```"),
        (Kind.PROSE, "end"),
    ]


def test_a_longer_fence_holds_a_shorter_one() -> None:
    text = "````\n```\ninner\n```\n````"
    assert kinds(text) == [(Kind.FENCED, text)]


def test_a_tilde_fence_is_not_closed_by_backticks() -> None:
    text = "~~~\n```\nstill code"
    assert kinds(text) == [(Kind.FENCED, text)]


def test_a_fence_in_a_quote_ends_with_the_quote() -> None:
    text = "> ```\n> code\nprose"
    assert kinds(text) == [(Kind.FENCED, "> ```\n> code"), (Kind.PROSE, "prose")]


def test_inline_backticks_do_not_open_a_fence() -> None:
    assert kinds("``` not `a` fence") == [(Kind.PROSE, "``` not `a` fence")]


def test_indented_lines_after_a_blank_one_are_code() -> None:
    text = "Run this:\n\n    make\n\n    make test\n\nDone"
    assert kinds(text)[1] == (Kind.INDENTED, "    make\n\n    make test")


def test_an_indented_line_that_continues_a_paragraph_is_prose() -> None:
    assert kinds("A paragraph\n    that goes on") == [(Kind.PROSE, "A paragraph\n    that goes on")]


def test_a_nested_list_item_is_not_code() -> None:
    assert [kind for kind, _ in kinds("  * outer\n\n    * inner\n")] == [Kind.LIST_ITEM] * 2


def test_a_paragraph_of_a_list_item_is_not_code() -> None:
    text = "1.  item\n\n    its second paragraph"
    assert kinds(text)[1] == (Kind.PROSE, "    its second paragraph")


def test_html2text_code_right_below_a_list_item_is_code() -> None:
    text = "  * such as\n\n    \n    \n    x = 1\n    y = 2\n\nend"
    assert kinds(text)[1] == (Kind.INDENTED, "    \n    \n    x = 1\n    y = 2")


def test_a_tab_indents_code() -> None:
    assert kinds("Run:\n\n\tmake") == [(Kind.PROSE, "Run:"), (Kind.INDENTED, "\tmake")]


def test_a_table_begins_at_its_header() -> None:
    text = "See:\na| b\n---|---\n1| 2"
    assert kinds(text) == [(Kind.PROSE, "See:"), (Kind.TABLE, "a| b\n---|---\n1| 2")]


def test_an_underlined_line_is_a_heading() -> None:
    assert kinds("Title\n=====\n\ntext") == [(Kind.HEADING, "Title\n====="), (Kind.PROSE, "text")]


def test_a_rule_of_stars_is_not_a_list_item() -> None:
    assert kinds("* * *") == [(Kind.PROSE, "* * *")]
