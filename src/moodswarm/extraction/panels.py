"""Hidden parts of a page, and which of them a control on the page opens."""

import re

from lxml import etree
from lxml.html import HtmlElement

from moodswarm.extraction.boilerplate import read_name
from moodswarm.extraction.tree import elements, text_of
from moodswarm.extraction.words import words_in

_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_TARGETS = ("aria-controls", "data-target", "data-bs-target", "data-tab-target")
_CONTROLS = ("button", "a", "summary", "label")
_PANELS = ("div", "section", "p", "ul", "ol", "dd", "pre", "table")
_NOT_PANELS = ("dialog", "alertdialog", "menu", "menubar", "navigation", "tooltip", "listbox")
#: The fewest words in a panel that an author wrote; menus and search boxes are shorter.
_WRITTEN = 3
_MAYBE_HIDDEN = etree.XPath("descendant::*[@hidden or @style or @aria-hidden]")
_MAYBE_CONTROLS = etree.XPath(
    "descendant::*[@aria-controls or @aria-expanded or @role='tab' or @data-target"
    " or @data-bs-target or @data-tab-target or @data-toggle or @data-bs-toggle]"
)


def is_hidden(element: HtmlElement) -> bool:
    """Tell whether a browser or a screen reader leaves an element out."""
    if element.get("aria-hidden") == "true":
        return next(element.iterancestors("pre", "code"), None) is None and (
            element.tag not in ("pre", "code")
        )
    if element.get("hidden") not in (None, "until-found"):
        return True
    return bool(_HIDING.search(element.get("style") or ""))


def show_panels(body: HtmlElement) -> None:
    """Show the hidden panels of tabs and accordions, which their author wrote to be read."""
    hidden = [e for e in _MAYBE_HIDDEN(body) if e.tag in _PANELS and is_hidden(e)]
    controls = _controls(body) if hidden else {}
    for panel in hidden:
        control = controls.get(panel.get("id") or "")
        if control is None:
            control = _control_before(panel)
        if (control is not None or panel.get("role") == "tabpanel") and _is_written(panel):
            for name in ("hidden", "aria-hidden", "style"):
                panel.attrib.pop(name, None)
            if control is not None and control.tag == "button":
                _keep_label(control)


def _controls(body: HtmlElement) -> dict[str, HtmlElement]:
    """Return the elements that open panels, by the ids of those panels."""
    found: dict[str, HtmlElement] = {}
    for element in _MAYBE_CONTROLS(body):
        targets = " ".join(element.get(name) or "" for name in _TARGETS)
        opens = (
            element.get("role") == "tab"
            or element.get("data-toggle")
            or element.get("data-bs-toggle")
            or element.get("aria-expanded") is not None
        )
        if element.tag == "a" and opens and (element.get("href") or "").startswith("#"):
            targets += f" {element.get('href')}"
        for target in targets.split():
            found.setdefault(target.removeprefix("#"), element)
    return found


def _control_before(panel: HtmlElement) -> HtmlElement | None:
    """Return the control directly before a panel, which may be in a heading."""
    before = panel.getprevious()
    if before is None:
        return None
    for element in elements(before, *_CONTROLS):
        if element.get("aria-expanded") is not None and text_of(element) == text_of(before):
            return element
    return None


def _is_written(panel: HtmlElement) -> bool:
    if panel.get("role") in _NOT_PANELS or read_name(panel) is not None:
        return False
    words = words_in(panel)
    linked = sum(words_in(link) for link in panel.iter("a"))
    outside = next((a for a in panel.iterancestors("nav", "header", "footer", "aside")), None)
    form = next(elements(panel, "input", "select", "textarea"), None)
    return words >= _WRITTEN and 2 * linked <= words and outside is None and form is None


def _keep_label(control: HtmlElement) -> None:
    """Keep the text of a button that serves as the heading of its panel, unlike a tab's label."""
    if control.get("role") == "tab" or next(control.iterancestors("ul", "ol"), None) is not None:
        return
    parent = control.getparent()
    headed = parent is not None and parent.tag in ("h1", "h2", "h3", "h4", "h5", "h6", "dt", "li")
    control.tag = "span" if headed else "p"
