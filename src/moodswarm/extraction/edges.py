"""The edges of an article: lines that themes put before and after its text."""

import re
from collections import Counter
from collections.abc import Iterator

from lxml.html import HtmlElement

from moodswarm.extraction.tree import drop, elements, names, text_of
from moodswarm.extraction.words import count_words

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
    r"|(?:januar|februar|märz|mai|juni|juli|oktober|dezember|enero|febrero|marzo|abril|mayo|junio"
    r"|julio|agosto|septiembre|octubre|noviembre|diciembre|janvier|février|mars|avril|juin|juillet"
    r"|août|septembre|octobre|novembre|décembre)"
)
_DAY = (
    rf"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
    rf"(?:(?:{_MONTH})\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|\d{{1,2}}(?:st|nd|rd|th)?\.?\s+(?:de\s+)?(?:{_MONTH})"
    rf"(?:\s+de)?,?\s+\d{{4}}|\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}})"
    r"(?:,?\s+(?:at\s+)?\d{1,2}:\d{2}(?::\d{2})?\s*(?:am|pm|utc|gmt)?)?"
)
# Lines that only a theme writes; they are removed at either end of the article.
_THEME = rf"""
    (?:(?:last\s+)?(?:posted|published|updated|modified|created|edited)(?:\s+(?:on|at|by|in))?[:\s]*)?{_DAY}
    |(?:posted|published|filed)\s+(?:on|by|in|at|under)\b.{{0,120}}
    |(?:last\s+)?(?:updated|modified)(?:\s+on)?:?\s+{_DAY}
    |(?:about\s+)?\d+\s*-?\s*min(?:ute)?s?\.?(?:\s+read(?:ing)?(?:\s+time)?)
    |(?:estimated\s+)?read(?:ing)?\s+time:?.{{0,40}}
    |(?:.{{1,60}}[\s·•|,—–-]+)?(?:\d+|one)\s*min(?:ute)?s?\s+(?:to\s+)?read\b.{{0,60}}
    |(?:no|\d+)\s+(?:comments?|responses?|replies)
    |(?:tags?|tagged|categor(?:y|ies)|filed\s+under)\s*:\s*(?:\#?[\w.+-]+(?:\s[\w.+-]+)?[,·•|]?\s*){{1,12}}
    |(?:\#[\w-]+\s*){{1,15}}
    |(?:share|tweet)(?:\s+(?:this|on|via)\b.{{0,60}})?
    |(?:discuss|comment)\s+(?:this\s+)?(?:post|article)?\s*on\s.{{0,60}}
    |(?:edit|view|suggest\s+(?:an\s+)?(?:edits?|changes?)\s+(?:to|for)|improve)\s+this\s+(?:post|page|article)\b.{{0,40}}
    |(?:←|«|‹|<-|<<).{{0,100}}
    |(?:previous|next|older|newer)\s+(?:post|article|page|entry|story)\b:?.{{0,80}}
    |back\s+to\s+(?:top|(?:the\s+)?(?:blog|home(?:page)?|posts|articles|index|list))
    |(?:permalink|trackback|pingback|comments\s+are\s+closed|leave\s+a\s+(?:comment|reply))\.?
    |you\s+(?:may|might)\s+also\s+(?:like|enjoy)|related\s+(?:posts?|articles?|stories|reading)
    |more\s+(?:posts|articles)(?:\s+(?:by|from)\s.{{0,40}})?|skip\s+to\s+content|advertisement
    |(?:subscribe|sign\s+up)(?:\s+(?:to|for|via|now)\b.{{0,60}})?
"""
# Lines that an author may write too; they are removed only if they stand apart from the text.
_APART = rf"""
    by\s+[^.!?]{{2,60}}|[\W_]+
    |{_DAY}[\s,|·•—–-]+(?:by|in)\s.{{1,60}}|.{{2,60}}[\s,|·•—–-]+{_DAY}
    |\d+\s*min(?:ute)?s?\.?|(?:\d[\d.,]*k?\s+)?(?:views?|comments?|likes?|claps?|shares?|words?)(?:\s*\(?\d*\)?)?
    |(?:follow|like|pin|save|listen|print|email|copy\s+link)(?:\s+(?:this|on|it|via|us|me)\b.{{0,60}})?
    |(?:discuss|view|edit|see|reply)(?:\s+\w+)?\s+(?:on|at)\s+(?:twitter|x|hacker\s+news|github|reddit|mastodon|lobsters)\b.{{0,80}}
    |.{{0,100}}(?:→|»|›|->|>>)|(?:top|menu|search|home|author|log\s*in|sign\s*in)
    |(?:next|prev(?:ious)?).{{0,80}}|last\s+(?:updated|modified).{{0,40}}|was\s+this\s.{{0,30}}helpful\?
    |written\s+by\b.{{0,60}}|about\s+the\s+author|read\s+(?:more|next)
    |(?:copyright|©|\(c\)).{{0,120}}|all\s+rights\s+reserved\.?|powered\s+by\s.{{1,40}}
    |table\s+of\s+contents|on\s+this\s+page
"""
_THEME_LINE = re.compile(f"(?:{_THEME})", re.I | re.X)
_APART_LINE = re.compile(f"(?:{_THEME}|{_APART})", re.I | re.X)
_BLOCKS = (
    "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "ul", "ol", "table", "blockquote", "dl",
    "figure", "header", "footer", "section", "address", "time", "span", "a", "center", "font",
    "small", "i", "em", "b", "strong", "abbr",
)  # fmt: skip
_CONTAINERS = (
    "div",
    "section",
    "header",
    "footer",
    "article",
    "main",
    "body",
    "center",
    "span",
    "font",
    "td",
    "ul",
    "ol",
    "li",
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LONG = 200
_LOOKS = 12


def trim_edges(article: HtmlElement, title: str | None, author: str | None) -> int:
    """Remove dates, bylines, reading times, share links and the like from both ends.

    Only whole short blocks are removed, and only up to the first block of text.

    Returns:
        The number of words that were removed.
    """
    dropped = 0
    key, name = _key(title or ""), _key(author or "")
    text_parent = _text_parent(article)
    blocks = list(_leaves(article))
    for ordered in (blocks, blocks[::-1]):
        for position, block in enumerate(ordered[:_LOOKS]):
            text = text_of(block)
            if not text or (key and _key(text) == key):
                continue
            apart = text_parent is not None and _section(block.getparent()) is not text_parent
            above = (
                ordered[position + 1]
                if ordered is not blocks and position + 1 < len(ordered)
                else None
            )
            under_heading = above is not None and above.tag in _HEADINGS and not apart
            if under_heading or not (_is_line(block, text, apart) or (name and _key(text) == name)):
                break
            if block.find(".//img") is None:
                dropped += count_words(text)
                drop(block)
    return dropped


def _is_line(block: HtmlElement, text: str, apart: bool) -> bool:
    if block.tag in ("pre", "table", "blockquote") or len(text) > _LONG:
        return False
    return (_APART_LINE if apart else _THEME_LINE).fullmatch(text) is not None


def _text_parent(article: HtmlElement) -> HtmlElement | None:
    """Return the element that holds the most paragraphs of the article."""
    counts = Counter(p.getparent() for p in elements(article, "p", "pre", "h2", "h3"))
    return _section(counts.most_common(1)[0][0]) if counts else None


def _section(element: HtmlElement | None) -> HtmlElement | None:
    """Return the outermost of nested sections; some generators write one for each heading."""
    while element is not None and _nests(element):
        element = element.getparent()
    return element


def _nests(element: HtmlElement) -> bool:
    parent = element.getparent()
    return parent is not None and all(
        e.tag == "section" or (e.tag == "div" and "section" in names(e)) for e in (element, parent)
    )


def _leaves(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the innermost blocks that hold text, in order."""
    for child in element:
        if not isinstance(child.tag, str):
            continue
        inner = any(e.tag in _BLOCKS for e in child)
        if child.tag in _CONTAINERS and inner and not _own_text(child):
            yield from _leaves(child)
        elif child.tag in _BLOCKS or child.tag == "li":
            yield child


def _own_text(element: HtmlElement) -> bool:
    return bool((element.text or "").strip() or any((c.tail or "").strip() for c in element))


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
