"""Parsing, and the few operations on trees that every step needs."""

import re
from collections.abc import Iterable, Iterator
from typing import cast

from lxml import etree, html
from lxml.html import HtmlElement

#: libxml2 silently drops elements that are nested deeper than this.
MAX_DEPTH = 250
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_STRING = etree.XPath("string()")
_TOKEN = re.compile(r"[a-z]+|\d+")
# Characters that are allowed in HTML but not in XML, so lxml refuses to write them.
_SPACES = re.compile(r"[\x0b\x0c]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROL_REFERENCE = re.compile(
    r"&#(?:x0*([0-8bcef]|1[0-9a-f]|fff[ef])(?![0-9a-f])"
    r"|0*([0-8]|1[124-9]|2\d|3[01]|6553[45])(?!\d));?",
    re.I,
)
# Void elements that libxml2 does not know to be empty: it would put all that follows into them.
_VOID = re.compile(r"<(embed|source|track|wbr|image|keygen|bgsound)\b[^<>]*+>", re.I)


class TooDeep(ValueError):
    """The page is nested so deeply that the parser drops a part of it."""


def parse_page(text: str) -> HtmlElement | None:
    """Parse a page; None if there is nothing in it.

    Raises:
        TooDeep: a part of the page would be lost.
    """
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    data = sound_markup(_DECLARATION.sub("", text)).encode("utf-8", "replace")
    try:
        root = html.document_fromstring(data, parser=parser)
    except etree.ParserError:
        return None
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise TooDeep(f"nested deeper than {MAX_DEPTH} elements")
    return root


def without_controls(text: str) -> str:
    """Remove control characters other than white space; form feeds become spaces."""
    return _CONTROLS.sub("", _SPACES.sub(" ", text))


def sound_markup(markup: str) -> str:
    """Return markup that parses into a complete tree, which can be written again.

    Control characters are removed, also those written as `&#27;`, and void elements are closed.
    """
    plain = without_controls(_CONTROL_REFERENCE.sub(_control, markup))
    return _VOID.sub(r"\g<0></\1>", plain)


def _control(reference: re.Match[str]) -> str:
    return chr(int(reference[1], 16) if reference[1] else int(reference[2]))


def parse_fragment(text: str) -> HtmlElement | None:
    """Parse a piece of a page into a `div`; None if there is nothing in it."""
    root = parse_page(f"<html><body><div>{text}</div></body></html>")
    return None if root is None else find_body(root)


def find_body(root: HtmlElement) -> HtmlElement:
    """Return the body of a page, or the page itself if it has none."""
    body = root.find("body")
    return root if body is None else body


def elements(root: HtmlElement, *tags: str) -> Iterator[HtmlElement]:
    """Yield `root` and the elements below it, without comments and processing instructions."""
    for element in root.iter(*tags) if tags else root.iter("*"):
        yield cast(HtmlElement, element)


def drop(element: HtmlElement) -> None:
    """Remove an element; the text after it stays."""
    if element.getparent() is not None:
        element.drop_tree()


def drop_all(found: Iterable[HtmlElement]) -> None:
    """Remove elements; some may lie within others."""
    for element in list(found):
        drop(element)


def text_of(element: HtmlElement) -> str:
    """Return the text in an element, with white space as a browser shows it."""
    return " ".join(str(_STRING(element)).split())


def names(element: HtmlElement, attribute: str = "class") -> list[str]:
    """Return the names in a class or id in lower case, with words joined by single hyphens.

    `postShareBar`, `post_share__bar` and `post-share-bar` are the same name.
    """
    value = element.get(attribute) or ""
    return [
        "-".join(_TOKEN.findall(_CAMEL.sub("-", name[:80]).lower())) for name in value.split()[:40]
    ]
