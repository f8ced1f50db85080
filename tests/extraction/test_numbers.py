"""Numbers, formulas and lines of code read the same in markdown as on the page."""

import pytest

from moodswarm.extraction.article import Article
from moodswarm.extraction.markdown import html_to_markdown
from moodswarm.extraction.page import extract_page

BASE = "https://solano.example/notes/tea"
TEXT = "<p>The kettle was cold, and so the tea had to wait for another quarter hour.</p>" * 5
HIDDEN_FORMULA = (
    '<span class="mwe-math-element"><span class="mwe-math-mathml-inline" style="display: none;">'
    '<math alttext="{{\\displaystyle {0}}}"><semantics><mrow><mi>x</mi></mrow>'
    '<annotation encoding="application/x-tex">{{\\displaystyle {0}}}</annotation></semantics>'
    '</math></span><img src="x.svg" class="mwe-math-fallback-image-inline" aria-hidden="true"'
    ' alt="{{\\displaystyle {0}}}"></span>'
)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("10<sup>6</sup>", "10^6"),
        ("2<sup>10</sup>=1024", "2^10=1024"),
        ("10<sup>&minus;3</sup> m<sup>2</sup>", "10^\u22123 m^2"),
        ("x<sup>n+1</sup> and <i>x</i><sup><i>n</i></sup>", "x^(n+1) and *x*^n"),
        ("x<sub>i</sub><sup>2</sup>", "x_i^2"),
        ("x<sub>1</sub>, x<sub>i+1</sub>, v<sub>max</sub>", "x_1, x_(i+1), v_max"),
        ("101<sub>2</sub> is 5<sub>10</sub>", "101_2 is 5_10"),
        ("log<sub>2</sub>8", "log_(2)8"),
        ("H<sub>2</sub>O, CO<sub>2</sub>, (NH<sub>4</sub>)<sub>2</sub>", "H2O, CO2, (NH4)2"),
        ("1<sup>st</sup>, 2<sup>e</sup>, M<sup>me</sup>", "1st, 2e, Mme"),
        ("1<sup>1</sup>/<sub>2</sub> cups", "1 1/2 cups"),
        ("It cost 5.<sup>3</sup>", "It cost 5.^3"),
        ("<code>2<sup>10</sup></code>", "`2^10`"),
        ("<table><tr><th>a</th></tr><tr><td>10<sup>6</sup></td></tr></table>",
         "| a |\n| --- |\n| 10^6 |"),
        ("<pre>n = 2<sup>10</sup></pre>", "```\nn = 2^10\n```"),
        ("<sub>Photo by Ann</sub>", "Photo by Ann"),
    ],
)  # fmt: skip
def test_raised_and_lowered_text_changes_no_number(html: str, expected: str) -> None:
    assert html_to_markdown(html, BASE) == expected


def test_a_reference_to_a_note_is_not_an_exponent() -> None:
    html = (
        '<p>tea 5<sup><a href="#fn1">1</a></sup></p><ol class="footnotes"><li id="fn1">N</li></ol>'
    )
    assert html_to_markdown(html, BASE) == "tea 5[^1]\n\n[^1]: N"


@pytest.mark.parametrize("tag", ["code", "kbd", "samp", "tt"])
@pytest.mark.parametrize("line", ["<br>", "<br/>", "<br>\n"])
def test_lines_in_inline_code_stay_apart(tag: str, line: str) -> None:
    html = f"<p>Type <{tag}>import os{line}for name</{tag}>.</p>"
    assert html_to_markdown(html, BASE) == "Type `import os for name`."


@pytest.mark.parametrize("tag", ["code", "kbd", "samp"])
def test_inline_code_of_several_lines_that_fills_its_block_is_a_code_block(tag: str) -> None:
    html = f"<p><{tag}>for name in x:<br>&nbsp;&nbsp;print(name)</{tag}></p>"
    assert html_to_markdown(html, BASE) == "```\nfor name in x:\n  print(name)\n```"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (HIDDEN_FORMULA.format("x^{2}"), "$x^{2}$"),
        ('<math alttext="x_1"><mi>x</mi></math>', "$x_1$"),
        ('<script type="math/tex">y_1*z*</script>', "$y_1*z*$"),
        ('<script type="math/tex; mode=display">y_1</script>', "$$y_1$$"),
        ('<img class="latex" src="/l.png" alt="a_1">', "$a_1$"),
    ],
    ids=["mediawiki", "mathml", "mathjax", "mathjax display", "image"],
)
def test_a_formula_is_its_source(formula: str, expected: str) -> None:
    assert html_to_markdown(f"<p>Let {formula} be</p>", BASE) == f"Let {expected} be"
    page = f"<main><h1>Tea</h1>{TEXT}<p>Let {formula} be the heat of the water.</p>{TEXT}</main>"
    found = extract_page(page.encode(), BASE)
    assert isinstance(found, Article)
    assert f"Let {expected} be the heat" in found.content
