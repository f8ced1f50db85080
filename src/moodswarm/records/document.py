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

#: A file in a repository is a document of the kind `repository`.
Kind = Literal["article", "post", "repository"]
KINDS: tuple[str, ...] = get_args(Kind)

# The fields that a reader of the document can see. If one changes, the document has changed.
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
# The commit used to be part of the hash. A file that a new commit does not touch is unchanged, so
# the hash no longer depends on the commit. The key stays in, as null, because this keeps the hashes
# of all documents that never had a commit.
_NEVER_SEEN = {"commit": None}


class InvalidDocument(ValueError):
    """A field is wrong; the message names the field, what was expected and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One article, post, or file in a repository. Build it with `Document.create`.

    Attributes:
        id: uuid5 of the canonical link.
        kind: One of `KINDS`.
        platform: Where the document was published, e.g. `substack`.
        link: Canonical address, unique in a document store.
        content: Raw text (Markdown for articles), kept byte for byte.
        content_hash: SHA-256 of everything a reader sees, text and metadata alike.
        updated_at: When the store last wrote the document; the store sets it, in UTC, to the
            millisecond.
        deleted_at: Tombstone: the time at which the original was found to be gone.
        path: Path of the file within its repository.
        repository_id: Id shared by all files of one repository.
        commit: Commit at which a repository file was last read; not part of the content hash.
        licence: SPDX identifier of the licence of the file's repository.
        spider: Name of the spider that fetched the document.
        etag: The server's ETag; used with `fetched_at` for the next conditional request.
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
            InvalidDocument: a field is missing or unknown, or its type or value is wrong.
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
        """Return the hash of the current fields."""
        return self._hash(**_NEVER_SEEN)

    def is_intact(self) -> bool:
        """Return whether the hash fits the fields, as this or an earlier version computed it."""
        return self.content_hash in (self.compute_hash(), self._hash(commit=self.commit))

    def _hash(self, **others: str | None) -> str:
        seen = {name: getattr(self, name) for name in _HASHED} | others
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
        raise InvalidDocument(f"unknown fields {unknown}; the known fields are {sorted(_ALLOWED)}")
    if values["kind"] not in KINDS:
        raise InvalidDocument(f"kind: expected one of {KINDS}, found {values['kind']!r:.60}")


def _check_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument(
            f"{name}: broken Unicode at character {error.start} "
            f"({value[error.start : error.end]!r}); expected text that UTF-8 can encode"
        ) from error


def utc_milliseconds(time: datetime) -> datetime:
    """Return a time as stores keep it: in UTC, to the millisecond.

    A time without a zone is taken as UTC.
    """
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return aware.replace(microsecond=aware.microsecond // 1000 * 1000)


def _stored_time(name: str, time: datetime | None) -> datetime | None:
    try:
        return None if time is None else utc_milliseconds(time)
    except OverflowError as error:
        raise InvalidDocument(f"{name}: {time} is outside the years 1 to 9999 in UTC") from error


def documents_to_table(documents: Iterable[Document]) -> pa.Table:
    """Build one batch of documents with `DOCUMENT_SCHEMA`."""
    rows = [
        {name: getattr(document, name) for name in DOCUMENT_SCHEMA.names} for document in documents
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENT_SCHEMA)


def table_to_documents(table: pa.Table) -> Iterator[Document]:
    """Yield the documents in a batch with `DOCUMENT_SCHEMA`."""
    return (Document(**row) for row in table.to_pylist())
