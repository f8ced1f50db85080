"""X's long articles: `data/article.js`, and `data/article-metadata.js`, which dates them.

In 2023 the names of both files began with `twitter-`. The metadata do not name their article. They
say when it was begun, and so does the id of the article, since every id on X contains a time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from moodswarm.imports.archives.pages import with_title
from moodswarm.imports.archives.tweets import time_of_id
from moodswarm.imports.items import Item, Skipped, Unusable, build

ARTICLES = r"data/(twitter-)?article(-part\d+)?\.js"
METADATA = r"data/(twitter-)?article-metadata(-part\d+)?\.js"

_NEAR_MS = 60_000
_PUBLISHED = re.compile(r"(?<![a-z])published(?![a-z])", re.I)
# The kinds of block, as X's editor (Draft.js) names them, and the markdown that begins their lines.
_PREFIXES = {
    "header-one": "## ",
    "header-two": "## ",
    "header-three": "### ",
    "unordered-list-item": "- ",
    "ordered-list-item": "1. ",
    "blockquote": "> ",
}
_CLOSE_TOGETHER = ("unordered-list-item", "ordered-list-item")


@dataclass(frozen=True, slots=True)
class Metadata:
    """An entry of the metadata: when an article was begun, and when it was published, if it was."""

    id: str | None
    created_ms: int | None
    published: datetime | None


def parse_metadata(entry: Mapping[str, Any]) -> Metadata:
    """Read an entry of `article-metadata.js`."""
    values = _unwrapped(entry)
    by_name = {name.lower(): value for name, value in values.items()}
    is_published = _PUBLISHED.search(str(by_name.get("lifecyclestate", "")))
    published_ms = _milliseconds(by_name.get("firstpublishedatms"))
    return Metadata(
        id=str(by_name["id"]) if by_name.get("id") else None,
        created_ms=_milliseconds(by_name.get("createdatms")),
        published=datetime.fromtimestamp(published_ms / 1000, UTC)
        if is_published and published_ms
        else None,
    )


def read_article(
    where: str, entry: Mapping[str, Any], metadata: Iterable[Metadata], author: str
) -> Item:
    """Turn an entry of `article.js` into a document, if the metadata say it was published."""
    article = _unwrapped(entry)
    id_ = article.get("id")
    if not isinstance(id_, str) or not re.fullmatch(r"[0-9]{1,20}", id_):
        return Unusable(where, f"id: expected digits, found {id_!r:.40}")
    found = _metadata_of(id_, metadata)
    if found is None:
        return Unusable(where, "data/article-metadata.js does not say whether it was published")
    if found.published is None:
        return Skipped(where, "draft")
    body = _text(article.get("content"))
    if body is None:
        return Unusable(
            where, f"content: expected a text or blocks, found {article.get('content')!r:.40}"
        )
    if not body:
        return Skipped(where, "empty")
    title = " ".join(str(article.get("title") or "").split())
    return build(
        where,
        kind="article",
        platform="x",
        link=f"https://x.com/i/article/{id_}",
        author_full_name=author,
        title=title or None,
        published_at=found.published,
        content=with_title(title, body),
    )


def _metadata_of(id_: str, metadata: Iterable[Metadata]) -> Metadata | None:
    """Return the metadata with the article's id, or else the only entry begun within a minute."""
    created, near = time_of_id(id_), []
    for each in metadata:
        if each.id == id_:
            return each
        if each.created_ms is not None and abs(each.created_ms - created) < _NEAR_MS:
            near.append(each)
    return near[0] if len(near) == 1 else None


def _unwrapped(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object under the only key of an entry, whatever that key is."""
    values = list(entry.values())
    return values[0] if len(values) == 1 and isinstance(values[0], dict) else entry


def _milliseconds(value: object) -> int | None:
    """Return a time, which X writes as a number or as digits, up to the year 9999."""
    text = str(value)
    return int(text) if re.fullmatch(r"[0-9]{1,14}", text) else None


def _text(content: object) -> str | None:
    """Return the text, or None if the content has an unexpected form."""
    if isinstance(content, str):
        return content.strip()
    blocks = content.get("blocks") if isinstance(content, dict) else content
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return None
    return "\n\n".join(_paragraphs(blocks))


def _paragraphs(blocks: list[dict[str, Any]]) -> Iterator[str]:
    """Yield paragraphs, headings, quotations and lists as markdown."""
    written = [block for block in blocks if str(block.get("text") or "").strip()]
    for kind, group in groupby(written, key=lambda block: str(block.get("type"))):
        lines = [_PREFIXES.get(kind, "") + str(block["text"]).strip() for block in group]
        yield ("\n" if kind in _CLOSE_TOGETHER else "\n\n").join(lines)
