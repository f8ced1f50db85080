"""The title of a page, and its place at the beginning of the article."""

import re
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement

from moodswarm.extraction.head import meta
from moodswarm.extraction.tree import elements, names, text_of

_SUFFIX = re.compile(r"\s+[|\-–—·•:»«/~\\]+\s+|\s*[|»«•]\s*|\s+::\s+")
_TRAILING = re.compile(r"\s*[¶#§🔗]+\s*$")
_HOME = re.compile(r"(?:https?://[^/]+)?/?|(?:\.\.?/)*(?:index\.html?)?|[./]*", re.I)
_POST_TITLE = re.compile(
    r"(?:post|entry|article|blog|single|story)(?:-post|-entry)?-(?:title|headline|heading)"
    r"|p-name|headline"
)
_LONG = 300
_ANCHOR_LENGTH = 2
_EARLY = 600


def find_title(root: HtmlElement, linked: list[dict[str, Any]]) -> str | None:
    """Choose the title from the headings, the metadata for sharing, and the `title` element.

    The `title` element often begins or ends with the name of the site. A heading that it contains
    is the title without that name; failing that, the metadata for sharing is used.
    """
    page = root.findtext(".//head/title") or root.findtext(".//title") or ""
    page = " ".join(page[:1_000].split())
    shared = [meta(root, "og:title"), meta(root, "twitter:title")]
    shared += [str(item["headline"]) for item in linked if isinstance(item.get("headline"), str)]
    candidates = [_clean_title(t) for t in shared if t]
    if (not candidates or all(_same(t, page) for t in candidates)) and (
        own := _title_below_site_name(root, page)
    ):
        return own
    headings = list(_headings(root, "h1"))
    told = [page, *candidates]
    seconds = list(_headings(root, "h2"))
    confirmed = (
        *(h for h in headings if any(_same(h, t) for t in told)),
        *(h for h in headings if any(_begins(t, h) for t in told)),
        *(h for h in headings if any(_contains(t, h) for t in told)),
        *(h for h in seconds if _same(h, page) or _contains(page, h, short=True)),
    )
    if confirmed:
        return confirmed[0]
    if len(headings) == 1:
        return headings[0]
    other = _without_site(candidates[0] if candidates else page, root, page)
    return _clean_title(other) or (headings[0] if headings else None)


def _title_below_site_name(root: HtmlElement, page: str) -> str | None:
    """Return the title of a post if the page's own title is the name of the site.

    A heading whose class or itemprop names it as the title of a post wins; if there is none, the
    first heading in the article is the title.
    """
    headings = list(_headings(root, "h1", "h2", "h3"))
    site = _is_site_name(root, page)
    if any(_contains(page, text, short=True) for text in headings):
        return None
    if not site and any(_same(page, text) for text in headings):
        return None
    named = {
        text: None
        for heading in elements(root, "h1", "h2", "h3")
        if _is_post_title(heading) and (text := _clean_title(_heading_text(heading)))
    }
    if len(named) == 1:
        return next(iter(named))
    if not site:
        return None
    articles = list(elements(root, "article")) or list(elements(root, "main"))
    if len(articles) != 1:
        return None
    return next((t for t in _headings(articles[0], "h1", "h2") if not _same(t, page)), None)


def _is_post_title(heading: HtmlElement) -> bool:
    around = next(heading.iterancestors("nav", "aside", "footer", "li"), None)
    named = heading.get("itemprop") == "headline" or any(
        _POST_TITLE.fullmatch(name) for name in names(heading)
    )
    return named and around is None


def _is_site_name(root: HtmlElement, page: str) -> bool:
    site = meta(root, "og:site_name") or meta(root, "application-name") or ""
    home = (a for a in elements(root, "a") if _HOME.fullmatch(a.get("href") or "#"))
    return _same(site, page) or any(_same(text_of(link), page) for link in home)


def _headings(root: HtmlElement, *tags: str) -> Iterator[str]:
    """Yield headings that may be the title; those that link to the home page name the site."""
    for heading in elements(root, *tags):
        links = [*heading.iter("a"), *heading.iterancestors("a")]
        if not any(_HOME.fullmatch(link.get("href") or "") for link in links):
            text = _clean_title(_heading_text(heading))
            if text:
                yield text


def _heading_text(heading: HtmlElement) -> str:
    parts: list[str] = []
    for part in heading.iter():
        hidden = (
            isinstance(part.tag, str)
            and part is not heading
            and (
                any("anchor" in n or "headerlink" in n or "permalink" in n for n in names(part))
                and len(text_of(part)) <= _ANCHOR_LENGTH
            )
        )
        if isinstance(part.tag, str) and not hidden:
            parts.append(" " if part.tag == "br" else part.text or "")
        if part is not heading:
            parts.append(part.tail or "")
    return "".join(parts)


def _clean_title(text: str) -> str:
    text = " ".join(text.replace("\u200b", "").split())
    return _TRAILING.sub("", text) if len(text) <= _LONG else ""


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _same(one: str, other: str) -> bool:
    return bool(_key(one)) and _key(one) == _key(other)


def _begins(page: str, heading: str) -> bool:
    """Tell whether a title is the heading, followed by a separator and the name of the site."""
    return (
        len(_parts(page)) > 1 and bool(_key(heading)) and _key(page).startswith(f"{_key(heading)} ")
    )


def _contains(page: str, heading: str, *, short: bool = False) -> bool:
    """Tell whether a title is the heading with the name of the site at either end.

    If the name comes first, the heading must be the longer of the two, unless `short` is set.
    """
    key, parts = _key(heading), _parts(page)
    last = len(parts) > 1 and bool(key) and _key(page).endswith(f" {key}")
    return _begins(page, heading) or (last and (short or len(key) >= len(_key(parts[0]))))


def _parts(page: str) -> list[str]:
    return [part for part in _SUFFIX.split(page) if part.strip()]


def _without_site(title: str, root: HtmlElement, page: str) -> str:
    """Cut the name of the site off either end of a title."""
    site = _key(meta(root, "og:site_name") or meta(root, "application-name") or "")
    for match in _SUFFIX.finditer(title):
        before, after = title[: match.start()].strip(), title[match.end() :].strip()
        if site and _key(after) == site and before:
            return before
        if site and _key(before) == site and after:
            return after
    if title != page or site:
        return title
    parts = list(_SUFFIX.finditer(title))
    if not parts:
        return title
    # Without a site name to compare with, a last part that is short, or no longer than the rest,
    # is cut off.
    before, after = title[: parts[-1].start()].strip(), title[parts[-1].end() :].strip()
    return before if len(_key(after).split()) <= max(3, len(_key(before).split())) else title


def with_title(title: str | None, content: str) -> str:
    """Return the markdown with the title at its beginning, once, as a heading of level 1.

    A page shows its title above or within the article, and a feed states it separately.
    Stored articles always begin with their title.
    """
    if not title:
        return content
    key = _plain_key(title)
    for match in re.finditer(r"^(#{1,6})[ \t]+([^\n]+)$", content[:_EARLY], re.MULTILINE):
        heading = _plain_key(match[2])
        if heading == key or (
            len(match[1]) == 1 and heading and (heading in key or key in heading)
        ):
            before = content[: match.start()].strip()
            if not before or _plain_key(before) == key:
                return f"# {match[2].strip()}\n\n{content[match.end() :].lstrip()}"
            return content if len(match[1]) == 1 else f"# {title}\n\n{content}"
    return f"# {_plain(title)}\n\n{content}"


def _plain(title: str) -> str:
    return re.sub(r"\s+", " ", title).strip()


def _plain_key(text: str) -> str:
    text = re.sub(r"\]\([^)]*\)", " ", text)
    return " ".join(re.findall(r"\w+", text.replace("\\", "").casefold()))
