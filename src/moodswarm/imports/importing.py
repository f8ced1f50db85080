"""Import of documents: batches of them into a store, and a report of what became of each."""

import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moodswarm.imports.handbook import document_values, is_handbook_item
from moodswarm.imports.lines import AUTHOR, Item, Limits, Unreadable, read_items
from moodswarm.records import Document, InvalidDocument
from moodswarm.records.jsonl import document_from_values
from moodswarm.stores.documents.protocol import DocumentStore, UpsertResult

_BATCH_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class ImportFailure:
    """What of a file was not imported; line 0 stands for the file as a whole."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.reason}"
            if self.line
            else f"{self.file}: {self.reason}"
        )


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        read: Documents found and given to the store; `result` accounts for each of them.
        kept_newer: Of the unchanged, those of which the store has a newer version than the file.
        rejected: Everything else that the files hold, with the reason.
    """

    read: int = 0
    result: UpsertResult = field(default_factory=UpsertResult)
    kept_newer: int = 0
    rejected: list[ImportFailure] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Tell whether anything in the files is not in the store."""
        return bool(self.rejected)


def import_documents(
    store: DocumentStore,
    paths: Sequence[str | os.PathLike[str]],
    batch_documents: int = 256,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Read files of documents into a store; repeating an import changes nothing.

    Formats are told apart by content: our JSON lines, the JSON of the LLM Engineer's Handbook (see
    `handbook`), each plain or gzip. What is wrong is reported and everything else imported.

    A document is written when it is new, or its content hash or tombstone differs from the stored
    one. One with an `updated_at`, as exports have, is restored exactly, unless the stored one was
    updated later: an old export never brings back what has changed or gone since, and `kept_newer`
    counts such documents. Ids and hashes in a file are not trusted but computed.

    Args:
        store: Keeps each batch as soon as it is read.
        paths: Read in order; of two documents with one link, the first is taken.
        batch_documents: How many are written at a time (fewer if they are long).
        limits: How much of a file may be in memory at once.
        progress: Called after each batch with the number of documents read so far.

    Raises:
        StoreError: the store itself failed; batches reported before are kept.
    """
    importer = _Importer(store, batch_documents, progress or (lambda _read: None))
    for path in paths:
        for line, item in read_items(Path(path), limits or Limits()):
            importer.take(os.fspath(path), line, item)
    importer.flush()
    return importer.report


class _Importer:
    """Collects batches; knows every document it has met by 16 bytes and its place."""

    def __init__(
        self, store: DocumentStore, batch_documents: int, progress: Callable[[int], None]
    ) -> None:
        self.report = ImportReport()
        self._store = store
        self._batch_documents = batch_documents
        self._progress = progress
        self._batch: list[Document] = []
        self._characters = 0
        self._files: list[str] = []
        self._places: dict[bytes, tuple[int, int]] = {}

    def take(self, file: str, line: int, item: Item) -> None:
        """Take one item of a file; its documents wait for their batch."""
        if file not in self._files[-1:]:
            self._files.append(file)
        try:
            if isinstance(item, Unreadable):
                self._reject(line, item.reason)
            elif item.keys() == {AUTHOR}:
                self._take_author(item[AUTHOR])
            else:
                for values in document_values(item) if is_handbook_item(item) else [item]:
                    self._take_values(line, values)
        except InvalidDocument as error:
            self._reject(line, str(error))

    def _take_author(self, name: object) -> None:
        if not isinstance(name, str):
            raise InvalidDocument(
                f"author: expected a name, found {type(name).__name__} {name!r:.80}"
            )
        try:
            self._store.get_or_create_author(name)
        except ValueError as error:
            raise InvalidDocument(f"author: {error}") from error

    def _take_values(self, line: int, values: dict[str, Any]) -> None:
        try:
            document = document_from_values(values)
        except InvalidDocument as error:
            self._reject(line, str(error))
            return
        key = uuid.UUID(document.id).bytes
        if key in self._places:
            file_number, first = self._places[key]
            self._reject(line, f"duplicate of {self._files[file_number]}:{first} ({document.link})")
            return
        self._places[key] = (len(self._files) - 1, line)
        self._add(document)

    def _add(self, document: Document) -> None:
        self._characters += len(document.content)
        if self._batch and self._characters > _BATCH_CHARACTERS:
            self.flush()
            self._characters = len(document.content)
        self._batch.append(document)
        if len(self._batch) >= self._batch_documents:
            self.flush()

    def flush(self) -> None:
        """Write the batch."""
        if not self._batch:
            return
        plain = [document for document in self._batch if document.updated_at is None]
        dated = [document for document in self._batch if document.updated_at is not None]
        result = self._store.upsert_documents(plain) + self._restore(dated)
        self.report.read += len(self._batch)
        self.report.result += result
        places = {document.link: document.id for document in self._batch}
        for failure in result.failed:
            file_number, line = self._places[uuid.UUID(places[failure.link]).bytes]
            self.report.rejected.append(
                ImportFailure(self._files[file_number], line, failure.reason)
            )
        self._batch, self._characters = [], 0
        self._progress(self.report.read)

    def _restore(self, documents: list[Document]) -> UpsertResult:
        stored = {
            document.id: document
            for document in self._store.get_documents([document.id for document in documents])
        }
        writes = []
        for document in documents:
            other = stored.get(document.id)
            if other is None or _is_other_version(document, other):
                if other and _is_newer(other, document):
                    self.report.kept_newer += 1
                else:
                    writes.append(document)
        unchanged = UpsertResult(unchanged=len(documents) - len(writes))
        return unchanged + self._store.restore_documents(writes)

    def _reject(self, line: int, reason: str) -> None:
        self.report.rejected.append(ImportFailure(self._files[-1], line, reason))


def _is_other_version(one: Document, other: Document) -> bool:
    return (one.content_hash, one.deleted_at) != (other.content_hash, other.deleted_at)


def _is_newer(one: Document, other: Document) -> bool:
    return bool(one.updated_at and other.updated_at and one.updated_at > other.updated_at)
