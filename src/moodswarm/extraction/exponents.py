"""Raised and lowered text: in markdown, `10<sup>6</sup>` must not become 106."""

import re

from lxml.html import HtmlElement

from moodswarm.extraction.tree import elements, text_of

#: Longer text is small print, not an exponent or an index.
_LONGEST = 24
# Numbers, operators and single letters. Several letters are part of the word, as in 1st, Mme, TM,
# and so is the single letter of an ordinal number: 2e, 1a, 3o.
_EXPONENT = re.compile(r"(?![eoa]$)(?:\d+%?|[a-zA-Z](?![a-zA-Z])|[-\u2212+\u00b1*/=().,^ ])+")
_INDEX = re.compile(r"[\w.,+\-\u2212*/=() ]+")
_SIMPLE = re.compile(r"[-\u2212]?[\w.,]+|\(.*\)")
_HOLDS_ONE = re.compile(r"[\w)\]}.,\"”’']$")
_AFTER_WORD = re.compile(r"[\w)\]}]$")
# Chemists write H2O and (NH4)2 without a mark.
_ELEMENT = re.compile(r"(?:[A-Z][a-z]?|[)\]])$")
_SLASH = ("/", "\u2044")


def mark_exponents(root: HtmlElement) -> None:
    """Write `10^6`, `2^(n+1)` and `x_1` for numbers and letters that are raised or lowered.

    References to notes stay as they are, since they are links.
    """
    for element in list(elements(root, "sup", "sub")):
        if element is root or _is_linked(element):
            continue
        text, before = text_of(element), _text_before(element)
        mark = _mark(element, text, before) if text and len(text) <= _LONGEST else ""
        if mark:
            for child in list(element):
                element.remove(child)
            # A digit after the element must not join the index, as it would in log<sub>2</sub>8.
            alone = _SIMPLE.fullmatch(text) and not (element.tail or "")[:1].isdigit()
            plain = mark == " " or alone
            element.text = mark + (text if plain else f"({text})")
            element.drop_tag()


def _mark(element: HtmlElement, text: str, before: str) -> str:
    """Return the mark to put before raised or lowered text; empty if it is to stay as it is."""
    if element.tag == "sub":
        return "_" if _is_index(element, text, before) else ""
    if _is_fraction(element):
        return " " if before[-1:].isdigit() else ""
    return "^" if _is_exponent(text, before) else ""


def _is_exponent(text: str, before: str) -> bool:
    return bool(_EXPONENT.fullmatch(text) and _HOLDS_ONE.search(before))


def _is_index(element: HtmlElement, text: str, before: str) -> bool:
    if not (_INDEX.fullmatch(text) and _AFTER_WORD.search(before)):
        return False
    followed = (element.tail or "")[:1].isdigit()
    return not (text.isdigit() and _ELEMENT.search(before) and not followed)


def _is_fraction(element: HtmlElement) -> bool:
    """Tell whether this is the numerator of a fraction: raised text, a slash, lowered text."""
    following = element.getnext()
    return (
        (element.tail or "").strip() in _SLASH and following is not None and following.tag == "sub"
    )


def _is_linked(element: HtmlElement) -> bool:
    inside = next(elements(element, "a", "img"), None)
    return inside is not None or next(element.iterancestors("a"), None) is not None


def _text_before(element: HtmlElement) -> str:
    """Return the text directly before the element, or an empty string."""
    before, parent = element.getprevious(), element.getparent()
    if before is not None:
        return str(before.tail or "".join(map(str, before.itertext())))
    return str(parent.text or "") if parent is not None else ""
