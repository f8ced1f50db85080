"""Import of documents: items from any source are written to a store in batches and counted."""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moodswarm.imports.archives.files import ArchiveError
from moodswarm.imports.archives.reading import read_archive
from moodswarm.imports.items import Found, Item, Place, Skipped, Unusable
from moodswarm.imports.lines import Limits, read_documents
from moodswarm.records import Author, Document
from moodswarm.stores.documents.protocol import DocumentStore, UpsertResult

_BATCH_DOCUMENTS = 256
_BATCH_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class ImportFailure:
    """An entry that was not imported; an empty `where` stands for the whole file or archive."""

    file: str
    where: Place
    reason: str

    def __str__(self) -> str:
        if not self.where:
            return f"{self.file}: {self.reason}"
        # Editors and terminals open `file:line`.
        space = "" if isinstance(self.where, int) else " "
        return f"{self.file}:{space}{self.where}: {self.reason}"


@dataclass(slots=True)
class ImportReport:
    """The outcome of an import.

    Attributes:
        read: Documents found and passed to the store; `result` accounts for each of them.
        kept_newer: How many of the unchanged documents have a newer version in the store.
        skipped: Entries left out on purpose, by reason. In archives, a `duplicate` is an entry
            whose link was read before, as in an older archive of the same member.
        rejected: Everything else in the files, with the reason.
    """

    read: int = 0
    result: UpsertResult = field(default_factory=UpsertResult)
    kept_newer: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: list[ImportFailure] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Tell whether anything that should be in the store is not."""
        return bool(self.rejected)


def import_documents(
    store: DocumentStore,
    paths: Sequence[str | os.PathLike[str]],
    batch_documents: int = _BATCH_DOCUMENTS,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Import JSON files into a store; repeating an import changes nothing.

    A file holds our own JSON lines, or the JSON of the LLM Engineer's Handbook (see `handbook`),
    and may be gzipped; the format is recognised from its content. Everything that is wrong is
    reported, and the rest is imported.

    A document is written when it is new, or when its content hash or tombstone differs from the
    stored one. A document with an `updated_at`, as in exports, is restored exactly, unless the
    stored document was updated later. An old export never undoes a later change or deletion;
    `kept_newer` counts such documents.

    Args:
        store: Keeps each batch as soon as it is read.
        paths: Files, read in order; of two documents with the same link, the first is taken and
            the second is a failure.
        batch_documents: How many documents are written at a time (fewer if they are long).
        limits: How much of a file may be in memory at once.
        progress: Called after each batch with the number of documents read so far.

    Raises:
        StoreError: the store itself failed; batches that were reported before are kept.
    """
    importer = _Importer(store, batch_documents, progress)
    for path in paths:
        importer.take(os.fspath(path), read_documents(Path(path), limits or Limits()))
    return importer.finish()


def import_archives(
    store: DocumentStore,
    platform: str,
    paths: Sequence[Path],
    author_full_name: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Import export archives into a store; repeating an import changes nothing.

    Args:
        store: Keeps each batch as soon as it is read.
        platform: One of `moodswarm.imports.archives.reading.PLATFORMS`.
        paths: Archives, read in order; of two entries with the same link, the first is taken and
            the second is skipped, since two exports of one account overlap.
        author_full_name: Used instead of the name in the archive.
        progress: Called after each batch with the number of documents read so far.

    Raises:
        StoreError: the store itself failed; batches that were reported before are kept.
    """
    importer = _Importer(store, _BATCH_DOCUMENTS, progress, overlapping=True)
    for path in paths:
        importer.take(str(path), read_archive(platform, path, author_full_name))
    return importer.finish()


class _Importer:
    """Collects batches, and remembers by id the place of every document that it has read."""

    def __init__(
        self,
        store: DocumentStore,
        batch_documents: int,
        progress: Callable[[int], None] | None,
        *,
        overlapping: bool = False,
    ) -> None:
        self._report = ImportReport()
        self._store = store
        self._batch_documents = batch_documents
        self._progress = progress
        self._overlapping = overlapping
        self._batch: list[Document] = []
        self._characters = 0
        self._files: list[str] = []
        # The 16 bytes of an id, and (file number, place): millions of them fit into memory.
        self._places: dict[bytes, tuple[int, Place]] = {}

    def take(self, file: str, items: Iterable[Item]) -> None:
        """Take all items of a file or archive, up to the place where it becomes unreadable."""
        self._files.append(file)
        try:
            for item in items:
                self._take_item(item)
        except ArchiveError as error:
            self._reject("", str(error))

    def finish(self) -> ImportReport:
        """Write the last batch and return the report."""
        self._flush()
        return self._report

    def _take_item(self, item: Item) -> None:
        match item:
            case Found(where, document):
                self._take_document(where, document)
            case Skipped(reason=reason):
                self._report.skipped[reason] += 1
            case Unusable(where, reason):
                self._reject(where, reason)
            case Author():
                self._store.get_or_create_author(item.full_name)

    def _take_document(self, where: Place, document: Document) -> None:
        key = uuid.UUID(document.id).bytes
        if key not in self._places:
            self._places[key] = (len(self._files) - 1, where)
            self._add(document)
        elif self._overlapping:
            self._report.skipped["duplicate"] += 1
        else:
            file_number, first = self._places[key]
            self._reject(
                where, f"duplicate of {self._files[file_number]}:{first} ({document.link})"
            )

    def _add(self, document: Document) -> None:
        self._characters += len(document.content)
        if self._batch and self._characters > _BATCH_CHARACTERS:
            self._flush()
            self._characters = len(document.content)
        self._batch.append(document)
        if len(self._batch) >= self._batch_documents:
            self._flush()

    def _flush(self) -> None:
        """Write the batch."""
        if not self._batch:
            return
        plain = [document for document in self._batch if document.updated_at is None]
        dated = [document for document in self._batch if document.updated_at is not None]
        result = self._store.upsert_documents(plain) + self._restore(dated)
        self._report.read += len(self._batch)
        self._report.result += result
        ids = {document.link: document.id for document in self._batch}
        for failure in result.failed:
            number, where = self._places[uuid.UUID(ids[failure.link]).bytes]
            self._report.rejected.append(ImportFailure(self._files[number], where, failure.reason))
        self._batch, self._characters = [], 0
        if self._progress:
            self._progress(self._report.read)

    def _restore(self, documents: list[Document]) -> UpsertResult:
        """Write documents from an export, except those that are newer in the store."""
        ids = [document.id for document in documents]
        stored = {document.id: document for document in self._store.get_documents(ids)}
        writes = []
        for document in documents:
            other = stored.get(document.id)
            if other is None or _is_other_version(document, other):
                if other and _is_newer(other, document):
                    self._report.kept_newer += 1
                else:
                    writes.append(document)
        unchanged = UpsertResult(unchanged=len(documents) - len(writes))
        return unchanged + self._store.restore_documents(writes)

    def _reject(self, where: Place, reason: str) -> None:
        self._report.rejected.append(ImportFailure(self._files[-1], where, reason))


def _is_other_version(one: Document, other: Document) -> bool:
    return (one.content_hash, one.deleted_at) != (other.content_hash, other.deleted_at)


def _is_newer(one: Document, other: Document) -> bool:
    return bool(one.updated_at and other.updated_at and one.updated_at > other.updated_at)
