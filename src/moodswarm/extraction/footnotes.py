"""Footnotes: pairs of links on a page, turned into markdown footnotes."""

import re

from lxml import html
from lxml.html import HtmlElement

from moodswarm.extraction.tree import drop, drop_all, elements, names, text_of

_NOTE_ID = re.compile(
    r"(?:user-content-)?(?:fn|footnote|note|cite_note|ftnt?|_ftn)[-:_.]?(\w[\w:.-]*)", re.I
)
_BACK = re.compile(
    r"(?:↩|↑|\^|⏎|←|↵|\ufe0e|\ufe0f|\s|\d|[\[\]()]|back|return|jump|up"
    r"|to (?:the )?(?:text|article))*",
    re.I,
)
_LABEL = re.compile(r"\[?\s*([\w*†‡§]+)\s*\]?")
_BACKWARD = re.compile(r"ref|anchor|back", re.I)
_NOTES = ("li", "div", "p", "aside", "dd")
#: Texts of the paragraphs that mark where a note's further paragraphs begin and end.
NOTE_BEGINS, NOTE_ENDS = "\ue0f3", "\ue0f4"
_SECTION = re.compile(r"footnotes?(?:-.*)?|endnotes?|notes|reflist|references")


def mark_footnotes(root: HtmlElement) -> None:
    """Turn references into `[^1]` and notes into paragraphs that begin with `[^1]:`."""
    targets = {e.get("id") or "": _holder(e) for e in elements(root) if e.get("id")}
    labels: dict[HtmlElement, str] = {}
    for link in list(elements(root, "a")):
        address = link.get("href") or ""
        fragment = address.rpartition("#")[2]
        note = targets.get(fragment)
        if note is None or "#" not in address or link is note or note in link.iterancestors():
            continue
        label = _LABEL.fullmatch(text_of(link))
        noted = note.tag in _NOTES and _is_note(note, fragment)
        if label and noted and _is_reference(link):
            labels.setdefault(note, label[1])
            _set_reference(link, labels[note])
    for note, name in labels.items():
        _set_note(note, name)


def _holder(target: HtmlElement) -> HtmlElement:
    """Return the target of a link, or the block of the note if the target is only its number."""
    if target.tag not in ("a", "span", "sup"):
        return target
    return next(target.iterancestors(*_NOTES), target)


def _is_note(note: HtmlElement, fragment: str) -> bool:
    if _BACKWARD.search(fragment):
        return False
    around = [note, *note.iterancestors()][:4]
    return bool(_NOTE_ID.fullmatch(fragment)) or any(
        _SECTION.fullmatch(name) for a in around for name in (*names(a), *names(a, "role"))
    )


def _is_reference(link: HtmlElement) -> bool:
    around = [link, *link.iterancestors()][:3]
    return any(a.tag == "sup" for a in around) or any(
        "footnote" in n or "fnref" in n or "noteref" in n
        for a in around
        for n in (*names(a), *names(a, "role"), *names(a, "id"))
    )


def _set_reference(link: HtmlElement, label: str) -> None:
    shown = link
    for parent in link.iterancestors():
        if text_of(parent) != text_of(link) or parent.tag not in ("sup", "span"):
            break
        shown = parent
    tail = shown.tail
    shown.clear()
    shown.tag, shown.text, shown.tail = "span", f"[^{label}]", tail


def _set_note(note: HtmlElement, label: str) -> None:
    for link in list(elements(note, "a", "sup", "span")):
        back = any("back" in n or "fnref" in n for n in (*names(link), *names(link, "role")))
        address = (link.get("href") or "").rpartition("#")[2]
        if _BACK.fullmatch(text_of(link)) and (
            back or (link.tag == "a" and bool(address or link.get("id")))
        ):
            drop(link)
    drop_all(e for e in note.iter("span") if "label" in names(e) and not text_of(e).strip("[]"))
    first = next((p for p in note.iter("p")), note)
    first.text = f"[^{label}]: {(first.text or '').lstrip()}"
    if first.getparent() is note:
        _mark_rest(first)
    holder = note.getparent()
    if note.tag in ("li", "dd"):
        note.tag = "div"
    if first is note:
        note.tag = "p"
    if holder is not None and holder.tag in ("ol", "ul", "dl"):
        holder.tag = "div"
    if holder is not None:
        _drop_rule(holder)


def _mark_rest(first: HtmlElement) -> None:
    """Mark all paragraphs of a note but the first, since markdown indents them."""
    rest = [block for block in first.itersiblings() if text_of(block)]
    if rest:
        rest[0].addprevious(_mark(NOTE_BEGINS))
        rest[-1].addnext(_mark(NOTE_ENDS))


def _mark(text: str) -> HtmlElement:
    mark = html.Element("p")
    mark.text = text
    return mark


def _drop_rule(holder: HtmlElement) -> None:
    """Remove the rule or heading between the article and its notes."""
    before = holder.getprevious()
    if before is not None and (before.tag == "hr" or "footnote" in " ".join(names(before, "id"))):
        drop(before)
