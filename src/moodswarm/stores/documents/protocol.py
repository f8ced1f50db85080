"""The document store: where collection ends and features begin.

A narrow protocol, not a query language. `open_document_store` in `opening.py` chooses the
implementation; one contract suite (`tests/contracts/test_document_store.py`) runs over all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from moodswarm.records import Author, Document
from moodswarm.stores.status import StoreStatus

#: What `DocumentStore.scan_hashes` gives: enough to see which documents changed.
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
    """What a write did; the counts and failures together account for every document given."""

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

        A document is unchanged when the stored one has its content hash and is deleted or not as
        it is; then only provenance (`fetched_at`, `etag`, `spider`, `commit`, `licence`) is
        brought up to date, if the given document carries a `fetched_at`. Otherwise it is inserted
        or replaced, with `updated_at` set to now and no tombstone unless the given document
        carries one. Documents of one link count one after the other, and the last wins. A document
        that the store cannot hold is a `Failure` and does not stop the others. Authors are created
        as needed.
        """
        ...

    def restore_documents(self, documents: Sequence[Document]) -> UpsertResult:
        """Write a batch exactly as given, `updated_at` and `deleted_at` included (backup).

        A document is unchanged when the stored one equals it in every field.
        """
        ...

    def get_documents(self, ids: Sequence[str]) -> list[Document]:
        """Return the documents that exist, tombstoned ones included, ordered by id."""
        ...

    def scan_documents(
        self,
        *,
        include_deleted: bool = False,
        page_documents: int = 256,
        page_characters: int = 4_000_000,
    ) -> Iterator[list[Document]]:
        """Stream all documents ordered by id, in pages bounded by both numbers (at least one)."""
        ...

    def scan_hashes(self, page_rows: int = 10_000) -> Iterator[pa.Table]:
        """Stream `HASH_SCHEMA` rows of documents that are not deleted, ordered by id."""
        ...

    def tombstone_documents(self, ids: Sequence[str], at: datetime) -> int:
        """Mark documents as gone, `updated_at` set to now; returns how many were not so before."""
        ...

    def get_or_create_author(self, full_name: str) -> Author:
        """Return the one record of this person, whatever the case and spacing of the name.

        It shows the best spelling met so far, see `Author.better_spelled`.
        """
        ...

    def authors(self) -> list[Author]:
        """Return all authors, ordered by last and first name."""
        ...

    def status(self) -> StoreStatus:
        """Reach the store and count.

        `counts` has each kind (deleted documents aside), `deleted` and `authors`, zeros included.
        """
        ...

    def close(self) -> None:
        """Release connections; closing twice is fine."""
        ...
