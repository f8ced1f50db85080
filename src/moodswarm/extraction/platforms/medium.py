"""Medium: the story as it is stored in the state of the page's own scripts."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from itertools import groupby, pairwise
from typing import Any

from lxml.html import HtmlElement

from moodswarm.extraction.article import Article, Refused
from moodswarm.extraction.embeds import embedded_page
from moodswarm.extraction.head import part, read_state, text_part
from moodswarm.extraction.markdown import html_to_markdown
from moodswarm.extraction.metadata import read_language
from moodswarm.extraction.titles import with_title

_POST = re.compile(r"Post:([0-9a-f]+)")
_BLOCKS = {
    "P": "p", "H1": "h2", "H2": "h2", "H3": "h2", "H4": "h3", "BQ": "blockquote",
    "PQ": "blockquote", "ULI": "li", "OLI": "li", "PRE": "pre",
}  # fmt: skip
_EMBEDDED = "embedded page"
_LISTS = {"ULI": "ul", "OLI": "ol"}
_TAGS = {"STRONG": "strong", "EM": "em", "CODE": "code", "A": "a"}


def read_medium(root: HtmlElement, url: str) -> Article | Refused | None:
    """Read a Medium story; None for any other page, and for an old story without state."""
    state = read_state(root, "window.__APOLLO_STATE__")
    if state is None:
        return None
    post, content = _find_post(state, url)
    paragraphs = list(_paragraphs(state, content))
    if not paragraphs:
        return None
    if part(content, "isLockedPreviewOnly") is True:
        return Refused("paid_preview", "the story is for members; its text is cut off")
    title = text_part(post, "title")
    _resolve_embeds(state, paragraphs)
    markdown = html_to_markdown("".join(_blocks(paragraphs, title)), url)
    creator = part(state, str(part(post, "creator", "__ref")))
    return Article(
        title=title,
        author=text_part(creator, "name"),
        published_at=_time(part(post, "firstPublishedAt")),
        language=_language(post) or read_language(root),
        canonical=text_part(post, "canonicalUrl") or text_part(post, "mediumUrl"),
        content=with_title(title, markdown),
        platform="medium",
    )


def _find_post(state: dict[str, Any], url: str) -> tuple[Any, Any]:
    """Return the story that the address names, or else the first story that has text."""
    found = []
    for key, post in state.items():
        match = _POST.fullmatch(key)
        if match and isinstance(post, dict):
            content = next((v for k, v in post.items() if k.split("(")[0] == "content" and v), None)
            if part(content, "bodyModel", "paragraphs"):
                found.append((match[1] not in url, post, content))
    found.sort(key=lambda entry: entry[0])
    return (found[0][1], found[0][2]) if found else (None, None)


def _paragraphs(state: dict[str, Any], content: Any) -> Iterator[dict[str, Any]]:
    listed = part(content, "bodyModel", "paragraphs")
    for entry in listed if isinstance(listed, list) else []:
        paragraph = state.get(str(part(entry, "__ref")), entry)
        if isinstance(paragraph, dict) and isinstance(paragraph.get("text"), str):
            yield paragraph


def _resolve_embeds(state: dict[str, Any], paragraphs: list[dict[str, Any]]) -> None:
    """Add the address of the embedded page to each paragraph that embeds something."""
    for paragraph in paragraphs:
        resource = part(paragraph, "iframe", "mediaResource")
        resource = state.get(str(part(resource, "__ref")), resource)
        address = text_part(resource, "href") or text_part(resource, "iframeSrc") or ""
        if not address and (name := text_part(resource, "id")):
            address = f"https://medium.com/media/{name}"
        paragraph[_EMBEDDED] = embedded_page(address) if address.startswith("http") else ""


def _blocks(paragraphs: list[dict[str, Any]], title: str | None) -> Iterator[str]:
    """Yield the story as HTML, with the items of a list joined into one block."""
    first = next((p for p in paragraphs if p["text"].strip()), None)
    shown = [p for p in paragraphs if not (p is first and title and _same(p["text"], title))]
    for kind, group in groupby(shown, key=lambda p: str(p.get("type"))):
        blocks = "".join(block for p in group if (block := _block(kind, p)))
        yield f"<{_LISTS[kind]}>{blocks}</{_LISTS[kind]}>" if kind in _LISTS else blocks


def _block(kind: str, paragraph: dict[str, Any]) -> str:
    if kind == "IMG":
        caption = _inline(paragraph)
        return f"<p>{caption}</p>" if caption.strip() else ""
    if kind == "IFRAME":
        address, caption = escape(paragraph.get(_EMBEDDED, "")), _inline(paragraph)
        link = f'<p><a href="{address}">{address}</a></p>' if address else ""
        return link + (f"<p>{caption}</p>" if caption.strip() else "")
    if kind == "MIXTAPE_EMBED" or kind not in _BLOCKS:
        return ""  # a card that links to another page
    if kind == "PRE":
        language = text_part(paragraph, "codeBlockMetadata", "lang") or ""
        text = escape(paragraph["text"])
        # HTML drops the first newline after the tag; this one saves any that the code begins with.
        return f'<pre>\n<code class="language-{escape(language)}">{text}</code></pre>'
    tag = _BLOCKS[kind]
    text = _inline(paragraph).replace("\n", "<br>")
    return f"<{tag}><p>{text}</p></{tag}>" if tag == "blockquote" else f"<{tag}>{text}</{tag}>"


def _inline(paragraph: dict[str, Any]) -> str:
    """Return the text with its marks as tags. Offsets count UTF-16 units, as in JavaScript."""
    units = paragraph["text"].encode("utf-16-le", "surrogatepass")
    marks = sorted(_marks(paragraph, len(units) // 2), key=lambda m: (m[0], -m[1]))
    edges = sorted({0, len(units) // 2, *(m[0] for m in marks), *(m[1] for m in marks)})
    parts: list[str] = []
    opened: list[tuple[int, int, str, str]] = []
    for start, end in pairwise(edges):
        # Marks that end here are closed, together with all that were opened after them; of these,
        # the ones that go on are opened again, so that tags are properly nested.
        kept = next((i for i, m in enumerate(opened) if m[1] <= start), len(opened))
        parts += [f"</{m[2]}>" for m in reversed(opened[kept:])]
        again = [m for m in opened[kept:] if m[1] > start]
        opened = opened[:kept]
        for mark in again + [m for m in marks if m[0] == start]:
            parts.append(mark[3])
            opened.append(mark)
        parts.append(escape(units[2 * start : 2 * end].decode("utf-16-le", "replace")))
    return "".join(parts) + "".join(f"</{m[2]}>" for m in reversed(opened))


def _marks(paragraph: dict[str, Any], length: int) -> Iterator[tuple[int, int, str, str]]:
    """Yield (start, end, tag name, start tag) for each valid mark."""
    listed = paragraph.get("markups")
    for mark in listed if isinstance(listed, list) else []:
        start, end, tag = part(mark, "start"), part(mark, "end"), _TAGS.get(str(part(mark, "type")))
        if tag is None or not isinstance(start, int) or not isinstance(end, int):
            continue
        href = text_part(mark, "href")
        if tag == "a" and not href:
            continue
        if 0 <= start < end <= length:
            yield start, end, tag, f'<a href="{escape(href or "")}">' if tag == "a" else f"<{tag}>"


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _time(milliseconds: Any) -> datetime | None:
    if not isinstance(milliseconds, int) or not 0 < milliseconds < 4_000_000_000_000:  # noqa: PLR2004
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _language(post: Any) -> str | None:
    language = text_part(post, "detectedLanguage")
    return (
        language[:2].lower() if language and re.fullmatch(r"[a-zA-Z]{2}(-\w+)?", language) else None
    )
