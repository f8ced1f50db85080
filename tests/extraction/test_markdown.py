"""HTML to markdown, piece by piece."""

import pytest

from moodswarm.extraction.markdown import html_to_markdown
from moodswarm.extraction.titles import with_title

BASE = "https://solano.example/notes/tea"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h2>A <a class='anchor' href='#a'>#</a></h2>", "## A"),
        ("<h2><a href='#a'>A</a></h2>", "## A"),
        ("<h2><a href='https://b.example/'>A</a></h2>", "## [A](https://b.example/)"),
        ("<p>a <a href='/b'>b</a></p>", "a [b](https://solano.example/b)"),
        ("<p><a href='javascript:x()'>b</a></p>", "b"),
        ("<p><code>a_b*c</code> and <kbd>x</kbd></p>", "`a_b*c` and `x`"),
        ("<p><code><a href='/f'>f()</a></code></p>", "[`f()`](https://solano.example/f)"),
        ("<p>__init__ and *args* and 2 * 3</p>", r"\_\_init__ and \*args* and 2 * 3"),
        ("<p>&lt;b&gt; and &amp;lt; and 1 &lt; 2</p>", r"\<b> and \&lt; and 1 < 2"),
        ("<p>2\n* 3\nis 6</p>", "2 * 3\nis 6"),
        ("<p>a:\n* b\n* c</p>", "a:\n* b\n* c"),
        ("<p>a<br>b</p>", "a  \nb"),
        ("<ol start='3'><li>a</li><li><p>b</p></li></ol>", "3. a\n4. b"),
        ("<ul><li>a<ol><li>b</li></ol></li></ul>", "- a\n  1. b"),
        ("<ul><li><input type='checkbox' checked> a</li></ul>", "- [x] a"),
        ("<img src='i.png' alt='A boat'>", "![A boat](https://solano.example/notes/i.png)"),
        ("<p>a<img src='i.png' alt='DSC_01.JPG'><img src='i.png'></p>", "a"),
        ("<img src='data:image/gif;base64,R0' data-src='/i.png' alt='A boat'>",
         "![A boat](https://solano.example/i.png)"),
        ("<figure><figcaption>b</figcaption></figure><blockquote>c</blockquote>", "b\n\n> c"),
        ("<table><tr><td><h2>a</h2><p>b</p></td></tr></table>", "## a\n\nb"),
        ("<math><annotation encoding='application/x-tex'>x_1*y*</annotation></math>", "$x_1*y*$"),
        ("<details><summary>a</summary><p>b</p></details>", "a\n\nb"),
    ],
)  # fmt: skip
def test_element_becomes(html: str, expected: str) -> None:
    assert html_to_markdown(html, BASE) == expected


@pytest.mark.parametrize(
    "html",
    [
        '<pre><code class="language-py">{}</code></pre>',
        '<div class="highlight-py"><div class="highlight"><pre>{}\n</pre></div></div>',
        '<div class="highlight"><pre><code data-lang="py">{}</code></pre><i>Copy</i></div>',
        '<pre class="brush: py">{}</pre>',
        '<div class="lang-py"><table><tr><td>1\n2</td><td><pre>{}</pre></table></div>',
    ],
)
@pytest.mark.parametrize("code", ["a = 1\n\n  b\t= 2", "# no heading\n\n\n\n> x", "```\ny\n```"])
def test_code_keeps_every_character_and_its_language(html: str, code: str) -> None:
    found = html_to_markdown(html.format(code), BASE)
    fence = "````" if "```" in code else "```"
    assert found == f"{fence}py\n{code}\n{fence}"


@pytest.mark.parametrize(
    "lines",
    [
        '<span class="line">a</span><span class="line"></span><span class="line">  b</span>',
        '<span class="line">a</span>\n<span class="line"></span>\n<span class="line">  b</span>',
        '<b class="line"><span class="cl">a\n</span></b><span class="cl">\n</span><i>  b</i>',
        "<div>a</div><div>\n</div><div>  b</div>",
        "a<br><br>  b",
        "a<br><br>&nbsp; b",
        '<i class="lineno">1</i>a\n<i class="lineno">2</i>\n<i class="lineno">3</i>  b',
    ],
)  # fmt: skip
def test_lines_end_where_the_page_ends_them(lines: str) -> None:
    assert html_to_markdown(f"<pre><code>{lines}</code></pre>", BASE) == "```\na\n\n  b\n```"


@pytest.mark.parametrize(
    "block",
    [
        '<div><span class="lang">a</span><button>Copy</button></div><pre>x</pre>',
        '<pre><div class="id">sh</div><div><code>x</code><a href="/t">Try</a></div></pre>',
        "<pre><code>x</code><ul><li>1</li></ul></pre>",
    ],
)
def test_labels_and_links_beside_code_are_removed(block: str) -> None:
    found = html_to_markdown(block, BASE).replace("```sh", "```")
    assert found == "```\nx\n```"


@pytest.mark.parametrize(
    "block",
    [
        '<div class="language-sh"><div><code>x\n  y\n</code></div></div>',
        '<div class="fragment"><div class="line">x</div><div class="line">  y</div></div>',
    ],
)
def test_a_block_without_pre_is_code(block: str) -> None:
    found = html_to_markdown(f"<p>a</p>{block}", BASE).replace("```sh", "```")
    assert found == "a\n\n```\nx\n  y\n```"


@pytest.mark.parametrize(
    "block", ["<pre>a <code>b</code></pre>", "<pre><b>a </b><code>b</code></pre>"]
)
def test_code_beside_code_stays(block: str) -> None:
    assert html_to_markdown(block, BASE) == "```\na b\n```"


def test_a_line_within_a_line_of_a_prism_diff_adds_no_line() -> None:
    line = '<span><span class="token line">{0}</span>\n<span class="line"></span></span>'
    html = f'<pre><code><span class="line">{line.format("a")}{line.format("b")}</span></code></pre>'
    assert html_to_markdown(html, BASE) == "```\na\nb\n```"


def test_footnotes_become_markdown_ones() -> None:
    html = (
        '<p>a<sup><a href="#fn1">1</a></sup></p><section class="footnotes"><hr><ol>'
        '<li id="fn1"><p>b <a href="#fnref1" class="footnote-backref">↩︎</a></p></li></ol></section>'
    )
    assert html_to_markdown(html, BASE) == "a[^1]\n\n[^1]: b"


@pytest.mark.parametrize(
    "html", ["", "  ", "<", "<p", "</div></p>", "<script>x</script>", "<!-- -->"]
)
def test_broken_pieces_become_text_or_nothing(html: str) -> None:
    assert "x" not in html_to_markdown(html, BASE)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Text.", "# A title\n\nText."),
        ("# A title\n\nText.", "# A title\n\nText."),
        ("## A title\n\nText.", "# A title\n\nText."),
        ("# A *title*\n\nText.", "# A *title*\n\nText."),
        ("## Other\n\nText.", "# A title\n\n## Other\n\nText."),
    ],
)
def test_an_article_begins_with_its_title_once(content: str, expected: str) -> None:
    assert with_title("A title", content) == expected
    assert with_title(None, content) == content


def footnote(note: str) -> str:
    reference = '<p>Tea<sup><a href="#fn:1" id="fnref:1">1</a></sup>.</p>'
    notes = f'<div class="footnotes"><ol><li id="fn:1">{note}</li></ol></div>'
    return html_to_markdown(reference + notes, "https://solano.example/").partition("\n\n")[2]


@pytest.mark.parametrize("back", ["[return]", "↩", "back to text", "(back)"])
def test_the_way_back_from_a_footnote_goes(back: str) -> None:
    assert footnote(f'<p>Wet. <a href="#fnref:1">{back}</a></p>') == "[^1]: Wet."


def test_all_of_a_footnote_is_in_it() -> None:
    note = "<p>Wet.</p><p>Very wet.</p><pre><code>x\n\ny</code></pre>"
    back = '<p><a href="#fnref:1">↩</a></p>'
    expected = "[^1]: Wet.\n\n    Very wet.\n\n    ```\n    x\n\n    y\n    ```"
    assert footnote(note + back) == expected


def test_quotations_that_follow_each_other_stay_apart() -> None:
    quotes = "<blockquote><p>One.</p></blockquote>\n<blockquote><p>Two.</p></blockquote>"
    assert html_to_markdown(quotes, "https://solano.example/") == "> One.\n\n> Two."


@pytest.mark.parametrize("block", ["<pre><code>\n\nx = 1</code></pre>", "<pre>\n\nx = 1</pre>"])
def test_an_empty_line_at_the_beginning_of_code_stays(block: str) -> None:
    assert html_to_markdown(block, "https://solano.example/") == "```\n\nx = 1\n```"
