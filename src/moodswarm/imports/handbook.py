"""Turns items that the LLM Engineer's Handbook exports into the fields of our documents.

Its export is three JSON files: articles, posts and repositories. Every item has a `content` object,
`platform`, `author_full_name` and usually a `link`. Ids are computed anew, and a post's `image` is
left out, since it is not text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from moodswarm.records import InvalidDocument
from moodswarm.records.ids import document_id
from moodswarm.records.links import canonical_link

_FIELDS = {
    "_id", "id", "content", "platform", "link", "author_id", "author_full_name", "name", "image"
}  # fmt: skip
_BEGINNING_CHARACTERS = 2000


def is_handbook_item(item: Mapping[str, Any]) -> bool:
    """Tell whether an item is the handbook's: its `content` is an object, while ours is text."""
    return isinstance(item.get("content"), dict)


def document_values(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields of the documents of an item: one, or one for each file of a repository.

    Raises:
        InvalidDocument: names the field that is missing, unknown or of the wrong type.
    """
    if unknown := sorted(set(item) - _FIELDS):
        raise InvalidDocument(f"unknown fields {unknown}; known: {sorted(_FIELDS)}")
    common = {name: item[name] for name in ("platform", "author_full_name") if name in item}
    if "name" in item:
        yield from _repository_files(item, common)
    elif "Content" in item["content"]:
        yield _article(item, common)
    else:
        yield _post(item, common)


def _article(item: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """Put the subtitle before the text, unless the text begins with it (66 of 76 articles do)."""
    title, subtitle, text = (_text(item, key) for key in ("Title", "Subtitle", "Content"))
    if _flat(subtitle) not in _flat(text[:_BEGINNING_CHARACTERS]):
        text = f"{subtitle.strip()}\n\n{text}"
    return {
        **common,
        "kind": "article",
        "link": item.get("link"),
        "title": title.strip() or None,
        "language": _text(item, "language") or None,
        "content": text,
    }


def _post(item: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    link = item.get("link")
    if link is None and "_id" in item:
        # Many posts in the handbook have no address; `.invalid` marks an address as made up.
        platform = re.sub("[^a-z0-9.]+", "-", str(item.get("platform", "post")).lower()).strip("-.")
        link = f"https://{platform or 'post'}.invalid/{item['_id']}"
    text = "\n\n".join(_text(item, key) for key in item["content"])
    return {**common, "kind": "post", "link": link, "content": text}


def _repository_files(item: Mapping[str, Any], common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        link = canonical_link(item["link"])
    except (KeyError, AttributeError, ValueError) as error:
        raise InvalidDocument(f"link: expected the address of the repository ({error})") from error
    for path, text in item["content"].items():
        yield {
            **common,
            "kind": "repository",
            "link": f"{link}/{quote(path)}",
            "title": f"{item['name']}: {path}",
            "path": path,
            "repository_id": document_id(link),
            "content": text,
        }


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item["content"].get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidDocument(
            f"content.{key}: expected text, found {type(value).__name__} {value!r:.60}"
        )
    return value


def _flat(text: str) -> str:
    return " ".join(text.split())
