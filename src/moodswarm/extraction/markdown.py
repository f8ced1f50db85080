"""HTML to markdown: the tree is tidied, html-to-markdown converts it, and the text is mended."""

import re

from lxml import etree, html
from lxml.html import HtmlElement

from moodswarm.extraction.code import plain_code_blocks
from moodswarm.extraction.embeds import keep_embeds
from moodswarm.extraction.exponents import mark_exponents
from moodswarm.extraction.footnotes import NOTE_BEGINS, NOTE_ENDS, mark_footnotes
from moodswarm.extraction.formulas import keep_formulas
from moodswarm.extraction.tidying import (
    flatten_layout_tables,
    plain_blocks,
    tidy_headings,
    tidy_images,
    tidy_inline_code,
    tidy_links,
)
from moodswarm.extraction.tree import drop_all, elements, parse_fragment

_UNSAFE = (
    "script", "style", "link", "meta", "noscript", "template", "svg", "iframe", "object", "embed",
    "canvas", "audio", "video", "button", "select", "textarea", "form", "base", "head", "title",
)  # fmt: skip
# Marks are escaped only where a parser would see emphasis; snake_case and 2 * 3 stay.
_STAR, _STAR_END = re.compile(r"\*(?=\S)"), re.compile(r"\S\*")
_UNDERSCORE = re.compile(r"(?<![\w\\])_+(?=[^\s_])")
_UNDERSCORE_END = re.compile(r"\w_(?!\w)")
# The converter would escape a backslash, so this character stands for one during conversion.
_BACKSLASH = "\ue0f1"
# The text of a paragraph that keeps two quotations apart.
_APART = "\ue0f2"
# A tag or an entity that is meant as text, as on a page about HTML.
_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w{1,31};)")
# Marks that would begin another block if they stayed at the start of a line.
_MARK_IN_TEXT = re.compile(
    r"\s*\n\s*(?=(?:[-*+]|\d{1,9}[.)]|\#{1,6})(?:\s|$)|[=-]+\s*(?:\n|$)|>|```|~~~)"
)
_FENCE = re.compile(r"^[ >]*(?:[-*+] |\d+[.)] )*(`{3,}|~{3,})")


def html_to_markdown(html_text: str, base_url: str) -> str:
    """Convert a piece of HTML, such as an entry of a feed, to markdown.

    Args:
        html_text: Any HTML; scripts, frames and forms in it are left out. Embedded gists and
            videos are replaced with links.
        base_url: The address against which relative links are resolved.

    Raises:
        ValueError: the HTML is nested so deeply that a part of it would be lost.
    """
    root = parse_fragment(html_text)
    return "" if root is None else tree_to_markdown(root, base_url)


def tree_to_markdown(root: HtmlElement, base_url: str) -> str:
    """Convert a tree to markdown; this changes the tree.

    The order matters: code blocks are made plain before anything can be removed from them, and text
    is escaped last, when all code and formulas are known.
    """
    # The steps below remove or unwrap links, forms and frames. The root holds the article and has
    # to stay, even if it is one of these.
    root.tag = "div"
    tidy_headings(root)
    mark_exponents(root)
    plain_code_blocks(root)
    keep_formulas(root)
    keep_embeds(root, base_url)
    drop_all(elements(root, *_UNSAFE))
    mark_footnotes(root)
    tidy_links(root, base_url)
    tidy_images(root, base_url)
    tidy_inline_code(root)
    flatten_layout_tables(root)
    plain_blocks(root)
    _part_quotes(root)
    _keep_empty_lines(root)
    _join_lines(root)
    _escape(root)
    return _convert(root)


def _convert(root: HtmlElement) -> str:
    from html_to_markdown import ConversionOptions, convert

    options = ConversionOptions(
        bullets="-",
        list_indent_width=2,
        extract_metadata=False,
        autolinks=False,
        expand_abbreviations=False,
        include_blockquote_citations=False,
        compact_tables=True,
        br_in_tables=True,
        highlight_style="none",
    )
    markup = etree.tostring(root, encoding="unicode", method="html", with_tail=False)
    return _mend(convert(markup, options).content or "")


def _mend(text: str) -> str:
    """Remove surplus blank lines, except in code, and insert the backslashes."""
    lines, fence, indent = [], "", ""
    for line in text.replace("\u200b", "").replace(_BACKSLASH, "\\").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and line.strip(" >") == fence else fence
            lines.append(indent + line if line else line)
            continue
        if line in (_APART, NOTE_BEGINS, NOTE_ENDS):
            indent = "    " if line == NOTE_BEGINS else ""
            continue
        if mark:
            fence = mark[1]
        elif not line.strip() and lines and not lines[-1].strip():
            continue
        if line.startswith("> ") and lines and lines[-1].strip() and lines[-1][0] != ">":
            lines.append("")
        lines.append(indent + line if line.endswith("  ") and line.strip() else _line(indent, line))
    return "\n".join(lines).strip("\n")


def _line(indent: str, line: str) -> str:
    return (indent + line).rstrip()


def _part_quotes(root: HtmlElement) -> None:
    """Separate adjacent quotations, since the converter would join them."""
    for quote in list(elements(root, "blockquote")):
        after = quote.getnext()
        if after is not None and after.tag == "blockquote" and not (quote.tail or "").strip():
            apart = html.Element("p")
            apart.text = _APART
            quote.addnext(apart)


def _keep_empty_lines(root: HtmlElement) -> None:
    """Keep the empty lines at the beginning of a code block, which the converter would drop."""
    for pre in elements(root, "pre"):
        code = pre.find("code")
        if code is not None and (code.text or "").startswith("\n"):
            code.text = f"\u200b{code.text}"


def _join_lines(root: HtmlElement) -> None:
    """Join a line that begins with a mark, such as that of a list, to the line before it.

    A generator has wrapped the text there. Two or more marks are left alone: they form a list that
    the generator missed, and markdown shows it as a list.
    """
    for block in elements(root, "p"):
        text = "".join(map(str, block.itertext()))
        if "\n" not in text or len(_MARK_IN_TEXT.findall(text)) != 1:
            continue
        for element in elements(block):
            if element.text and not _in_code(element):
                element.text = _MARK_IN_TEXT.sub(" ", element.text)
            if element.tail and element is not block and not _in_code(element.getparent()):
                element.tail = _MARK_IN_TEXT.sub(" ", element.tail)


def _escape(root: HtmlElement) -> None:
    """Put a backslash before marks that would turn plain text into emphasis or a tag."""
    for element in elements(root):
        inside = element.tag in ("code", "pre") or element.get("data-formula") is not None
        if element.text and not inside:
            element.text = _escaped(element.text)
        if element.tail and not _in_code(element.getparent()):
            element.tail = _escaped(element.tail)


def _in_code(element: HtmlElement | None) -> bool:
    return element is not None and element.tag in ("code", "pre")


def _escaped(text: str) -> str:
    if "<" in text or "&" in text:
        text = _MARKUP.sub(lambda match: _BACKSLASH + match[0], text)
    for mark, start, end in (("*", _STAR, _STAR_END), ("_", _UNDERSCORE, _UNDERSCORE_END)):
        if mark in text:
            text = _escape_mark(text, mark, start, end)
    return text


def _escape_mark(text: str, mark: str, start: re.Pattern[str], end: re.Pattern[str]) -> str:
    """Escape the marks that open emphasis, up to the last one that could close it."""
    last = max((match.start() for match in end.finditer(text)), default=0)
    escaped = start.sub(lambda match: f"{_BACKSLASH}{mark}" * len(match[0]), text[: last + 1])
    return escaped + text[last + 1 :]
