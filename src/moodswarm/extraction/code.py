"""Code blocks: the markup of highlighters is turned back into plain text with a language."""

import re

from lxml import html
from lxml.html import HtmlElement

from moodswarm.extraction.code_language import (
    LABEL_LENGTH,
    declared_language,
    label_in,
    language_in,
    take_label_before,
)
from moodswarm.extraction.tree import drop, drop_all, elements, names, text_of

_NUMBERS = re.compile(r"[\d\s]*")
_LABEL = re.compile(r"(?:copy|copied!?|copy code|copy to clipboard|expand|wrap|\W+)", re.I)
_WRAPPER = re.compile(
    r".*(?:highlight|code|snippet|listing|prettyprint|chroma|rouge|shiki|prism|hljs|crayon(?!s)"
    r"|syntax|sourcecode|literal-block|language|expressive|terminal|console|frame|pygments).*"
)
_LINE = {"line", "token-line", "code-line", "view-line", "ec-line", "cl", "block-line"}
_GUTTER = re.compile(
    r"(?:.*-)?(?:line-?(?:no|nos|number|numbers)|linenos?|lnt?|gutter|gl|rouge-gutter"
    r"|line-numbers-rows|blob-num|hljs-ln-numbers|react-syntax-highlighter-line-number)"
)
_BLOCK = {"div", "p", "li", "tr", "figure"}
_CONTROLS = {"button", "svg", "style", "script", "input", "label", "select", "template", "noscript"}
_INDENTED = re.compile(r"^ *\xa0|\xa0 |  \xa0", re.MULTILINE)
_DONE = "data-plain-code"
_LABELS = ("div", "span", "a", "header", "figcaption")
_BESIDE = ("div", "a", "ul", "ol", "p", "header", "figcaption")


def plain_code_blocks(body: HtmlElement) -> None:
    """Make every code block a `pre` with one `code` that holds its text and nothing else."""
    for table in list(elements(body, "table")):
        _flatten_table(table)
    _mark_blocks(body)
    for pre in list(elements(body, "pre")):
        inside = next(pre.iterancestors("pre"), None) is not None
        if pre.getparent() is None or inside or pre.get(_DONE) is not None:
            continue
        inner = _drop_beside_code(pre)
        block = html.Element("pre", {_DONE: ""})
        code = html.Element("code")
        block.append(code)
        place = _outermost(pre)
        # The label is removed even if the classes name the language.
        above = take_label_before(place)
        language = declared_language(pre) or label_in(place, pre) or above or inner
        if language:
            code.set("class", f"language-{language}")
        code.text = code_text(pre)
        _drop_numbers_after(place, code.text)
        _replace(place, block)


def _mark_blocks(body: HtmlElement) -> None:
    """Turn code blocks that a site writes without `pre` into `pre` elements."""
    for code in list(elements(body, "code", "kbd", "samp")):
        _mark_lines(code)
    for block in list(elements(body, "code", "div")):
        parent = block.getparent()
        if parent is None or next(block.iterancestors("pre"), None) is not None:
            continue
        if block.tag == "div":
            lines = [child for child in block if "line" in names(child)]
            if lines and len(lines) == len(block) and "fragment" in names(block):
                block.tag = "pre"
        elif parent.tag == "div" and text_of(parent) == text_of(block) and _looks_like_code(parent):
            block.tag = "pre"


def _mark_lines(code: HtmlElement) -> None:
    """Turn inline code that has line breaks and fills its block, as in old blogs, into a `pre`."""
    block = code.getparent()
    if block is None or code.find(".//br") is None or block.tag not in ("p", "div", "li", "dd"):
        return
    if text_of(block) == text_of(code) and next(block.iterancestors("pre"), None) is None:
        code.tag = "pre"
        block.tag = "div" if block.tag == "p" else block.tag


def _drop_beside_code(pre: HtmlElement) -> str | None:
    """Remove labels and links that share a block with its code; return the language they name."""
    codes = list(elements(pre, "code"))
    if len(codes) != 1:
        return None
    holders = [e for e in codes[0].iterancestors() if e is pre or pre in e.iterancestors()]
    if any(text and text.strip() for e in holders for text in (e.text, *(c.tail for c in e))):
        return None
    beside = [c for e in holders for c in e if c.tag in _BESIDE and c not in (*holders, codes[0])]
    languages = [found for child in beside if (found := language_in(text_of(child)))]
    drop_all(beside)
    return languages[0] if languages else None


def _drop_numbers_after(place: HtmlElement, code: str) -> None:
    """Remove a list of line numbers after a block; the parser has moved it out of the `pre`."""
    counted = place.getnext()
    if counted is None or counted.tag not in ("ul", "ol"):
        return
    lines = code.count("\n") + 1
    if [text_of(item) for item in counted] == [str(n) for n in range(1, lines + 1)]:
        drop(counted)


def code_text(pre: HtmlElement) -> str:
    """Return the text of a code block, without line numbers and buttons.

    Lines end where the page shows a line end: at a newline, a `br`, or a block.
    """
    parts: list[str] = []
    _collect(pre, parts, top=True)
    text = "".join(parts).replace("\r\n", "\n").replace("\u200b", "")
    if _INDENTED.search(text):  # some editors write &nbsp; for spaces
        text = text.replace("\xa0", " ")
    # By the rules of HTML, a newline right after the start tag is not part of the text.
    return text.removeprefix("\n").rstrip("\n") if text.strip() else ""


def _collect(element: HtmlElement, parts: list[str], *, top: bool = False) -> None:
    if not top and _is_noise(element):
        return
    start = len(parts)
    parts.append(element.text or "")
    for child in element:
        if isinstance(child.tag, str):
            if child.tag == "br":
                parts.append("\n")
            else:
                _collect(child, parts)
        parts.append(child.tail or "")
    if not top and _is_line(element):
        own = "".join(parts[start:])
        if not own.endswith("\n") and not (_newline_follows(element) or _is_filler(element)):
            parts.append("\n")


def _is_noise(element: HtmlElement) -> bool:
    if element.tag in _CONTROLS or "user-select:none" in _style(element):
        return True
    found = names(element)
    return any(_GUTTER.fullmatch(n) or n.startswith(("copy", "clipboard")) for n in found) and (
        _NUMBERS.fullmatch(text_of(element)) is not None or element.tag in ("a", "button")
    )


def _style(element: HtmlElement) -> str:
    return (element.get("style") or "").replace(" ", "")


def _is_line(element: HtmlElement) -> bool:
    if element.tag in _BLOCK:
        return not any(child.tag in _BLOCK for child in elements(element) if child is not element)
    return _is_line_span(element) and not any(
        _is_line_span(child) for child in elements(element, "span") if child is not element
    )


def _is_line_span(element: HtmlElement) -> bool:
    found = names(element)
    return element.tag == "span" and (
        # In a diff, Prism writes `token line` for a part of a line.
        (not _LINE.isdisjoint(found) and "token" not in found)
        or element.get("data-line") is not None
        or "display:block" in _style(element)
    )


def _is_filler(element: HtmlElement) -> bool:
    """Tell whether this is an empty line in another, as Prism adds after a newline in a diff."""
    parent = element.getparent()
    return parent is not None and parent.tag == "span" and not text_of(element)


def _newline_follows(element: HtmlElement) -> bool:
    """Tell whether the page itself ends the line right after an element."""
    last: HtmlElement = element
    while not last.tail and last.getnext() is None:
        parent = last.getparent()
        if parent is None or parent.tag == "pre":
            return True  # the end of the block
        last = parent
    after = last.getnext()
    if last.tail:
        return str(last.tail).startswith(("\n", "\r\n"))
    return after is not None and bool(after.tag == "br")


def _flatten_table(table: HtmlElement) -> None:
    """Replace a table that only puts line numbers beside code with just the code."""
    rows = list(table.iter("tr"))
    if not rows:
        return
    cells = [[c for c in row if c.tag in ("td", "th")] for row in rows]
    if len(rows) == 1 and len(cells[0]) > 1 and _NUMBERS.fullmatch(text_of(cells[0][0])):
        code = cells[0][-1]
        inner = next(code.iter("pre"), None)
        if inner is not None or _looks_like_code(table):
            _replace(table, inner if inner is not None else _as_pre(code))
    elif _is_line_table(cells) and _looks_like_code(table):
        block = html.Element("pre")
        block.text = "\n".join(code_text(row[-1]) for row in cells)
        _replace(table, block)


def _looks_like_code(table: HtmlElement) -> bool:
    around = [table, *table.iterancestors()][:4]
    return any(
        a.tag in ("pre", "code") or any(_WRAPPER.fullmatch(n) for n in names(a)) for a in around
    )


def _is_line_table(cells: list[list[HtmlElement]]) -> bool:
    return all(len(row) > 1 and any(_GUTTER.fullmatch(n) for n in names(row[0])) for row in cells)


def _as_pre(cell: HtmlElement) -> HtmlElement:
    block = html.Element("pre")
    block.text = code_text(cell)
    return block


def _outermost(pre: HtmlElement) -> HtmlElement:
    """Return the widest wrapper that belongs to this block alone."""
    found = pre
    for parent in pre.iterancestors():
        wraps = parent.tag in ("figure", "code-block", "deckgo-highlight-code") or any(
            _WRAPPER.fullmatch(name) for name in names(parent)
        )
        if not wraps or parent.tag in ("body", "article", "main", "li", "td", "section"):
            break
        if sum(1 for _ in parent.iter("pre")) != 1 or not _only_labels(parent, pre):
            break
        found = parent
    return found


def _only_labels(wrapper: HtmlElement, pre: HtmlElement) -> bool:
    words = text_of(wrapper).replace(text_of(pre), "", 1).strip()
    return len(words) <= LABEL_LENGTH and wrapper.find(".//p") is None


def _replace(old: HtmlElement, new: HtmlElement) -> None:
    parent = old.getparent()
    if parent is None:
        return
    if new.getparent() is not None:
        new.drop_tree()
    new.tail = old.tail
    old.tail = None
    parent.replace(old, new)


def drop_code_controls(body: HtmlElement) -> None:
    """Remove the labels of buttons beside code blocks, such as "Copy"."""
    for pre in list(elements(body, "pre")):
        parent = pre.getparent()
        if parent is not None and any(_WRAPPER.fullmatch(n) for n in names(parent)):
            drop_all(e for e in parent if e.tag in _LABELS and _LABEL.fullmatch(text_of(e)))
