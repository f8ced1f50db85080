"""The document store: crawls and imports write to it, and the feature pipeline reads from it.

The protocol is kept narrow; it is not a query language. `open_document_store` in `opening.py`
chooses the implementation; each implementation must pass the same contract suite
(`tests/contracts/test_document_store.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from moodswarm.records import Author, Document
from moodswarm.stores.status import StoreStatus

#: Schema of the rows from `DocumentStore.scan_hashes`: enough to tell which documents changed.
HASH_SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("id", "kind", "content_hash")]
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One document that could not be stored, and why."""

    link: str
    reason: str


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """The outcome of a write; counts and failures together add up to the documents given."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: tuple[Failure, ...] = ()

    def __add__(self, other: "UpsertResult") -> "UpsertResult":
        return UpsertResult(
            self.inserted + other.inserted,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.failed + other.failed,
        )


class DocumentStore(Protocol):
    """Documents with unique canonical links, and their authors."""

    def upsert_documents(self, documents: Sequence[Document]) -> UpsertResult:
        """Write a batch in one transaction (MongoDB: one bulk write, atomic per document).

        A document is unchanged if the stored one has the same content hash, and both or neither
        are deleted. Then only its provenance (`fetched_at`, `etag`, `spider`, `commit`,
        `licence`) is updated, provided the given document has a `fetched_at`. Any other document
        is inserted or replaced, with `updated_at` set to now, and without a tombstone unless the
        given document has one. Several documents with the same link are applied in order, so the
        last one wins. A document that the store cannot hold becomes a `Failure` and does not stop
        the others. Authors are created as needed.
        """
        ...

    def restore_documents(self, documents: Sequence[Document]) -> UpsertResult:
        """Write a batch from a backup exactly as given, including `updated_at` and `deleted_at`.

        A document is unchanged if it equals the stored one in every field.
        """
        ...

    def get_documents(self, ids: Sequence[str]) -> list[Document]:
        """Return the existing documents with these ids, also tombstoned ones, ordered by id."""
        ...

    def scan_documents(
        self,
        *,
        include_deleted: bool = False,
        page_documents: int = 256,
        page_characters: int = 4_000_000,
    ) -> Iterator[list[Document]]:
        """Stream all documents ordered by id.

        `page_documents` and `page_characters` limit each page, which has at least one document.
        """
        ...

    def scan_hashes(self, page_rows: int = 10_000) -> Iterator[pa.Table]:
        """Stream `HASH_SCHEMA` rows of documents that are not deleted, ordered by id."""
        ...

    def tombstone_documents(self, ids: Sequence[str], at: datetime) -> int:
        """Mark documents as gone and set `updated_at` to now; return how many were newly marked."""
        ...

    def get_or_create_author(self, full_name: str) -> Author:
        """Return the record of this person, whatever the case and spacing of the name.

        The name in the record is the best spelling seen so far, see `Author.better_spelled`.
        """
        ...

    def authors(self) -> list[Author]:
        """Return all authors, ordered by last and first name."""
        ...

    def status(self) -> StoreStatus:
        """Connect to the store and count its contents.

        `counts` has an entry for each kind (without deleted documents), for `deleted` and for
        `authors`, even if the number is zero.
        """
        ...

    def close(self) -> None:
        """Release the connections; closing twice is allowed."""
        ...
