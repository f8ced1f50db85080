"""Formulas: the form that a page draws is replaced with the TeX that its author wrote."""

import re

from lxml import html
from lxml.html import HtmlElement

from moodswarm.extraction.tree import elements, names

_DRAWING = ("katex", "mathjax", "mjx", "mwe-math")
_IMAGE = re.compile(r"latex|tex|mwe-math-fallback-image-(?:inline|display)|math-tex|ql-img-.*")
# MediaWiki encloses all TeX in these braces.
_STYLED = re.compile(r"\{\\(display|text)style\s+(.*)\}", re.DOTALL)


def keep_formulas(root: HtmlElement) -> None:
    """Replace the drawing of a formula, or a picture of it, with its TeX source."""
    for source in list(elements(root, "annotation")):
        if source.get("encoding") == "application/x-tex" and source.text:
            drawing = _drawing(source)
            display = any("display" in n for n in names(drawing))
            _replace(drawing, source.text, display=display or drawing.get("display") == "block")
    for drawn in list(elements(root, "math")):
        if tex := drawn.get("alttext"):
            _replace(_drawing(drawn), tex, display=drawn.get("display") == "block")
    for script in list(elements(root, "script")):
        kind = (script.get("type") or "").lower()
        if kind.startswith("math/tex") and script.text:
            _replace(script, script.text, display="mode=display" in kind)
    for image in list(elements(root, "img")):
        found = [name for name in names(image) if _IMAGE.fullmatch(name)]
        if found and (tex := image.get("alt")):
            _replace(image, tex, display=any("display" in name for name in found))


def _drawing(source: HtmlElement) -> HtmlElement:
    """Return the outermost element that belongs to the same formula."""
    drawing = source
    for parent in source.iterancestors():
        named = any(n.startswith(_DRAWING) for n in names(parent))
        if not named and parent.tag not in ("math", "semantics", "mrow", "mstyle"):
            break
        drawing = parent
    return drawing


def _replace(drawing: HtmlElement, tex: str, *, display: bool) -> None:
    parent = drawing.getparent()
    if parent is None:
        return
    tex = tex.strip()
    if styled := _STYLED.fullmatch(tex):
        tex = styled[2].strip()
    if tex.startswith("$"):
        tex = tex.strip("$").strip()
    formula = html.Element("span")
    formula.text = f"$${tex}$$" if display else f"${tex}$"
    formula.set("data-formula", "")
    formula.tail = drawing.tail
    parent.replace(drawing, formula)
