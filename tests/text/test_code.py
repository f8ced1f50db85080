"""Source code is cut where a reader would separate it."""

from moodswarm.text.code import code_borders

SOURCE = """\
import gulls

# What follows is about chips.
@chips
def eat(gull):
    if gull:
        return 1

    return 0
"""


def cost(before: str) -> float:
    """Return the cost of a cut right before this line."""
    return dict(code_borders(SOURCE, 0, len(SOURCE)))[SOURCE.index(before)]


def test_every_line_but_the_first_and_blank_ones_begins_at_a_border() -> None:
    assert len(code_borders(SOURCE, 0, len(SOURCE))) == 6


def test_a_top_level_line_below_a_blank_one_is_the_best_place() -> None:
    costs = dict(code_borders(SOURCE, 0, len(SOURCE)))
    assert min(costs, key=lambda place: costs[place]) == SOURCE.index("# What")


def test_comments_and_decorators_stay_with_their_definition() -> None:
    assert cost("@chips") > cost("# What")
    assert cost("def eat") > cost("    return 0")


def test_a_header_stays_with_its_body() -> None:
    assert cost("    if gull") > cost("    return 0")


def test_less_indentation_is_better() -> None:
    assert cost("    return 0") < cost("        return 1")


def test_a_block_stays_with_its_end() -> None:
    text = "f(\n    a,\n    b,\n)\n"
    costs = dict(code_borders(text, 0, len(text)))
    assert costs[text.index(")")] > costs[text.index("    b")]


def test_the_margin_of_an_indented_block_does_not_count_as_indentation() -> None:
    text = "    a\n\n    b"
    assert code_borders(text, 0, len(text)) == [(7, 0.02)]
