"""Simplifies HTML, one kind of element at a time, so that a converter loses nothing."""

import re
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from moodswarm.extraction.tree import drop, elements, names, text_of
from moodswarm.extraction.words import words_in

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_ANCHOR_TEXT = re.compile(
    r"[\W_]*|permalink|anchor|link|edit|copy link|link to this (?:heading|section)", re.I
)
_ANCHOR_NAME = re.compile(
    r".*(?:anchor|headerlink|header-link|hash-link|permalink|heading-link|toc-backref|editsection).*"
)
_FILE_NAME = re.compile(r"[\w.%-]+\.(?:png|jpe?g|gif|webp|svg|avif|bmp)", re.I)
_SOURCES = ("data-src", "data-original", "data-lazy-src", "data-srcset", "srcset")
_CODE = ("pre", "code", "kbd", "samp", "tt", "var")
_LONG_CELL = 40


def tidy_headings(root: HtmlElement) -> None:
    """Remove the anchors and edit links of headings; unwrap links to the heading itself."""
    for heading in elements(root, *_HEADINGS):
        for link in list(elements(heading, "a", "span", "button")):
            if link.getparent() is None:
                continue
            named = any(_ANCHOR_NAME.fullmatch(name) for name in names(link))
            if link.tag == "button" and text_of(link) == text_of(heading):
                link.drop_tag()  # the button opens the part below
            elif link.tag == "button" or "mw-editsection" in names(link):
                drop(link)
            elif link.tag == "a" or named:
                _tidy_anchor(heading, link, named)
        for line in list(elements(heading, "br")):
            line.tail = " " + (line.tail or "")
            line.drop_tag()


def _tidy_anchor(heading: HtmlElement, link: HtmlElement, named: bool) -> None:
    text, whole = text_of(link), text_of(heading)
    image = link.find(".//img") is not None
    if text != whole and (_ANCHOR_TEXT.fullmatch(text) or named) and not (image and not named):
        drop(link)
    elif link.tag == "a" and (named or (link.get("href") or "#").startswith("#")):
        link.drop_tag()


def tidy_links(root: HtmlElement, base_url: str) -> None:
    """Make links absolute; unwrap those that lead nowhere or show nothing."""
    for link in list(elements(root, "a")):
        address = _absolute(base_url, link.get("href"))
        for name in link.attrib:
            if name not in ("id", "name"):
                del link.attrib[name]
        if address is None or not (text_of(link) or link.find(".//img") is not None):
            link.drop_tag()
        else:
            link.set("href", address)


def tidy_images(root: HtmlElement, base_url: str) -> None:
    """Keep images with a description, which an author wrote; drop all other images."""
    for image in list(elements(root, "img")):
        text = " ".join((image.get("alt") or "").split())
        source = image.get("src") or ""
        if not source or source.startswith("data:"):
            lazy = next((v for n in _SOURCES if (v := image.get(n))), "")
            source = (lazy.split() or [""])[0].rstrip(",")
        address = _absolute(base_url, source)
        if not text or _FILE_NAME.fullmatch(text) or address is None or address.startswith("data"):
            drop(image)
            continue
        for name in image.attrib:
            del image.attrib[name]
        image.set("src", address)
        image.set("alt", text)
    for link in list(elements(root, "a")):
        if not text_of(link) and link.find(".//img") is None:
            link.drop_tag()


def _absolute(base_url: str, address: str | None) -> str | None:
    if not address:
        return None
    try:
        joined = urljoin(base_url, address.strip())
        scheme = urlsplit(joined).scheme
    except ValueError:  # a malformed host, such as http://[oops
        return None
    if scheme not in ("http", "https", "mailto", "tel", ""):
        return None
    return joined.replace(" ", "%20").replace("\n", "")


def tidy_inline_code(root: HtmlElement) -> None:
    """Turn each piece of code within a line into one plain `code` element."""
    for code in list(elements(root, *_CODE)):
        if code.tag == "pre" or next(code.iterancestors(*_CODE), None) is not None:
            continue
        if code.tag == "var":
            continue
        code.tag = "code"
        for line in elements(code, "br"):
            line.tail = " " + (line.tail or "")
        text = "".join(str(part) for part in code.itertext())
        inner = code.find(".//a")
        if (
            inner is not None
            and len(code) == 1
            and not (code.text or "").strip()
            and not (inner.tail or "").strip()
            and inner.get("href")
        ):
            _swap_link(code, inner)
            continue
        for child in list(code):
            code.remove(child)
        code.text = re.sub(r"\s+", " ", text.replace("\xa0", " ").replace("\u200b", ""))


def _swap_link(code: HtmlElement, link: HtmlElement) -> None:
    """Turn a link in code into code in a link, since markdown has only the latter."""
    text = text_of(link)
    code.remove(link)
    code.tag, link.tag = "a", "code"
    code.set("href", link.get("href") or "")
    for name in link.attrib:
        del link.attrib[name]
    for child in list(link):
        link.remove(child)
    code.text, link.text, link.tail = "", text, ""
    code.append(link)


def flatten_layout_tables(root: HtmlElement) -> None:
    """Turn tables that only lay out the page into plain blocks."""
    for table in list(elements(root, "table")):
        if _is_layout(table):
            for part in list(elements(table, "table", "thead", "tbody", "tfoot", "tr", "td", "th")):
                if part is table or next(part.iterancestors("table"), None) is None:
                    part.tag = "div"


def _is_layout(table: HtmlElement) -> bool:
    if table.get("role") in ("presentation", "none"):
        return True
    cells = list(elements(table, "td", "th"))
    blocks = next(elements(table, "table", *_HEADINGS, "pre", "article", "main"), table)
    inner = next((e for e in elements(table, *_HEADINGS, "pre", "table") if e is not table), None)
    long = any(words_in(cell) > _LONG_CELL for cell in cells)
    return len(cells) <= 1 or (inner is not None and long) or blocks.tag in ("article", "main")


def plain_blocks(root: HtmlElement) -> None:
    """Turn elements that markdown does not have into paragraphs and plain blocks."""
    for block in list(elements(root, "figure", "figcaption")):
        block.tag = "p" if block.tag == "figcaption" and block.find(".//p") is None else "div"
    for item in elements(root, "li"):
        paragraphs = [e for e in item if e.tag == "p"]
        others = [e for e in item if e.tag not in ("p", "ul", "ol")]
        if len(paragraphs) == 1 and not others and paragraphs[0].getprevious() is None:
            paragraphs[0].drop_tag()
    for details in list(elements(root, "details", "summary")):
        details.tag = "p" if details.tag == "summary" else "div"
