"""A document: one crawled or imported item, as the document store keeps it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_type_hints

import pyarrow as pa

from moodswarm.records.author import Author, author_name
from moodswarm.records.fields import arrow_schema, field_names
from moodswarm.records.ids import digest, document_id
from moodswarm.records.links import canonical_link

#: A file of a repository is a document of the kind `repository`.
Kind = Literal["article", "post", "repository"]
KINDS: tuple[str, ...] = get_args(Kind)

# What a reader of the document can see: a change of any of these is a change of the document.
_HASHED = (
    "kind",
    "platform",
    "link",
    "author_full_name",
    "title",
    "language",
    "published_at",
    "content",
    "path",
    "repository_id",
)
# Once hashed as well. A file that a new commit leaves alone is unchanged, so it counts as absent
# for all, which keeps the hashes of documents that never had one.
_NEVER_SEEN = {"commit": None}


class InvalidDocument(ValueError):
    """Names the field that is wrong, what was expected and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One article, post, or file of a repository. Build it with `Document.create`.

    Attributes:
        id: uuid5 of the canonical link.
        kind: One of `KINDS`.
        platform: Where it was published, e.g. `substack`.
        link: Canonical address, unique in a document store.
        content: Raw text, markdown for articles; kept byte for byte.
        content_hash: SHA-256 over all that a reader sees, text and metadata alike.
        updated_at: When the store last wrote it; set by the store, UTC, milliseconds.
        deleted_at: Tombstone: when it was found to be gone.
        path: Path of the file within its repository.
        repository_id: Id that the files of one repository share.
        commit: Commit that a repository file was read at last; not part of the content hash.
        licence: SPDX identifier of the licence of the repository that a file is from.
        spider: What fetched it; `etag` and `fetched_at` serve conditional requests.
    """

    id: str
    kind: str
    platform: str
    link: str
    author_id: str
    author_full_name: str
    title: str | None = None
    language: str | None = None
    published_at: datetime | None = None
    content: str
    content_hash: str
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    path: str | None = None
    repository_id: str | None = None
    commit: str | None = None
    licence: str | None = None
    spider: str | None = None
    etag: str | None = None
    fetched_at: datetime | None = None

    @classmethod
    def create(cls, /, **values: Any) -> "Document":
        """Validate the given fields and derive id, author id and content hash from them.

        Raises:
            InvalidDocument: a field is missing, unknown, of a wrong type or not allowed.
        """
        for derived in ("id", "author_id", "content_hash"):
            values.pop(derived, None)
        _check_types(values)
        try:
            link = canonical_link(values["link"])
            author = Author.from_full_name(values["author_full_name"])
        except ValueError as error:
            raise InvalidDocument(str(error)) from error
        values.update(
            link=link,
            author_full_name=author_name(values["author_full_name"]),
            id="",
            content_hash="",
        )
        for name in TIMES:
            values[name] = _stored_time(name, values.get(name))
        draft = cls(**{**values, "id": document_id(link), "author_id": author.id})
        return replace(draft, content_hash=draft.compute_hash())

    def compute_hash(self) -> str:
        """Return the content hash that belongs to the current fields."""
        seen = {name: getattr(self, name) for name in _HASHED} | _NEVER_SEEN
        if self.published_at:
            seen["published_at"] = self.published_at.isoformat()
        return digest(seen)


DOCUMENT_SCHEMA = arrow_schema(Document)
TIMES = field_names(Document, datetime)

_ALLOWED = {
    name: tuple(get_args(hint)) or (hint,)
    for name, hint in get_type_hints(Document).items()
    if name not in ("id", "author_id", "content_hash")
}


def _check_types(values: Mapping[str, Any]) -> None:
    for name, types in _ALLOWED.items():
        value = values.get(name)
        if not isinstance(value, types):
            expected = " or ".join("null" if t is type(None) else t.__name__ for t in types)
            found = "nothing" if name not in values else f"{type(value).__name__} {value!r:.60}"
            raise InvalidDocument(f"{name}: expected {expected}, found {found}")
        if isinstance(value, str):
            _check_text(name, value)
    if unknown := sorted(set(values) - set(_ALLOWED)):
        raise InvalidDocument(f"unknown fields {unknown}; known are {sorted(_ALLOWED)}")
    if values["kind"] not in KINDS:
        raise InvalidDocument(f"kind: expected one of {KINDS}, found {values['kind']!r:.60}")


def _check_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument(
            f"{name}: broken Unicode at character {error.start} "
            f"({value[error.start : error.end]!r}); expected text that UTF-8 can hold"
        ) from error


def utc_milliseconds(time: datetime) -> datetime:
    """Return the time as stores keep it: UTC, whole milliseconds; without a zone it is UTC."""
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return aware.replace(microsecond=aware.microsecond // 1000 * 1000)


def _stored_time(name: str, time: datetime | None) -> datetime | None:
    try:
        return None if time is None else utc_milliseconds(time)
    except OverflowError as error:
        raise InvalidDocument(f"{name}: {time} is outside the years 1 to 9999 in UTC") from error


def documents_to_table(documents: Iterable[Document]) -> pa.Table:
    """Turn documents into one batch of `DOCUMENT_SCHEMA`."""
    rows = [
        {name: getattr(document, name) for name in DOCUMENT_SCHEMA.names} for document in documents
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENT_SCHEMA)


def table_to_documents(table: pa.Table) -> Iterator[Document]:
    """Give back the documents of a batch of `DOCUMENT_SCHEMA`."""
    return (Document(**row) for row in table.to_pylist())
