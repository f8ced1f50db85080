"""`moodswarm import --from`: export archives of LinkedIn, Medium and X."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moodswarm.imports.archives import ArchiveError, Item, Skipped, Unusable, read_archive
from moodswarm.records import Document
from moodswarm.stores.documents.protocol import DocumentStore, UpsertResult

_BATCH_DOCUMENTS = 256
_BATCH_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True)
class ArchiveFailure:
    """What of an archive was not imported; an empty `where` stands for the archive as a whole."""

    file: str
    where: str
    reason: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.where, self.reason)))


@dataclass(slots=True)
class ArchiveReport:
    """What an import of archives did.

    Attributes:
        read: Documents found and given to the store; `result` accounts for each of them.
        skipped: Entries left out on purpose, by reason; `duplicate` is one whose link came before,
            as in an older archive of the same member.
        rejected: Everything else that the archives hold, with the reason.
    """

    read: int = 0
    result: UpsertResult = field(default_factory=UpsertResult)
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: list[ArchiveFailure] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Tell whether anything that should be in the store is not."""
        return bool(self.rejected)


def import_archives(
    store: DocumentStore,
    platform: str,
    paths: Sequence[Path],
    author_full_name: str | None,
    progress: Callable[[int], None],
) -> ArchiveReport:
    """Read archives into a store; repeating an import changes nothing.

    Args:
        store: Keeps each batch as soon as it is read.
        platform: One of `moodswarm.imports.archives.PLATFORMS`.
        paths: Read in order; of two entries with one link, the first is taken.
        author_full_name: Instead of the name that an archive has.
        progress: Called after each batch with the number of documents read so far.

    Raises:
        StoreError: the store itself failed; batches reported before are kept.
    """
    importer = _Importer(store, progress)
    for path in paths:
        importer.take(str(path), read_archive(platform, path, author_full_name))
    importer.flush()
    return importer.report


class _Importer:
    """Collects batches, and knows every document it has met by its place."""

    def __init__(self, store: DocumentStore, progress: Callable[[int], None]) -> None:
        self.report = ArchiveReport()
        self._store = store
        self._progress = progress
        self._batch: list[Document] = []
        self._characters = 0
        self._files: dict[str, str] = {}

    def take(self, file: str, items: Iterable[Item]) -> None:
        """Take all entries of an archive, up to where it cannot be read any further."""
        try:
            for item in items:
                if isinstance(item, Skipped):
                    self.report.skipped[item.reason] += 1
                elif isinstance(item, Unusable):
                    self._reject(file, item.where, item.reason)
                else:
                    self._add(file, item)
        except ArchiveError as error:
            self._reject(file, "", str(error))

    def _add(self, file: str, document: Document) -> None:
        if document.id in self._files:
            self.report.skipped["duplicate"] += 1
            return
        self._files[document.id] = file
        self._batch.append(document)
        self._characters += len(document.content)
        if len(self._batch) >= _BATCH_DOCUMENTS or self._characters >= _BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write the batch."""
        if not self._batch:
            return
        result = self._store.upsert_documents(self._batch)
        self.report.read += len(self._batch)
        self.report.result += result
        files = {document.link: self._files[document.id] for document in self._batch}
        for failure in result.failed:
            self._reject(files[failure.link], failure.link, failure.reason)
        self._batch, self._characters = [], 0
        self._progress(self.report.read)

    def _reject(self, file: str, where: str, reason: str) -> None:
        self.report.rejected.append(ArchiveFailure(file, where, reason))


def as_dict(report: ArchiveReport) -> dict[str, Any]:
    """Return the report as JSON shows it."""
    return {
        "read": report.read,
        "inserted": report.result.inserted,
        "changed": report.result.changed,
        "unchanged": report.result.unchanged,
        "skipped": dict(report.skipped),
        "failed": [
            {"file": failure.file, "where": failure.where, "reason": failure.reason}
            for failure in report.rejected
        ],
    }


def summary(report: ArchiveReport) -> str:
    """Return the report in one line."""
    result = report.result
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(report.skipped.items()))
    skipped = f", {report.skipped.total()} skipped ({reasons})" if reasons else ""
    return (
        f"Imported {report.read} documents: {result.inserted} new, {result.changed} changed, "
        f"{result.unchanged} unchanged{skipped}, {len(report.rejected)} failed."
    )
