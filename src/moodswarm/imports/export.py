"""Export of documents as JSON lines, from which an import makes an identical store."""

import errno
import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from moodswarm.imports.lines import AUTHOR
from moodswarm.records import Author
from moodswarm.records.jsonl import document_to_line
from moodswarm.stores.documents.protocol import DocumentStore
from moodswarm.stores.errors import StoreFull, StoreUnavailable


@dataclass(slots=True)
class ExportReport:
    """The result of an export.

    Attributes:
        documents: How many documents were written.
        damaged: Links of documents whose content is no longer what was stored. They are left
            out, because an import would take the damaged text for a new version.
    """

    documents: int = 0
    damaged: list[str] = field(default_factory=list)


def export_documents(
    store: DocumentStore, target: str | os.PathLike[str] | BinaryIO
) -> ExportReport:
    """Write all documents, including tombstoned ones, one per line and ordered by id.

    The same documents yield the same bytes. After them, a line such as `{"author": "Ada Byron"}`
    names each author whom an import of the documents alone would not restore: an author without
    documents, or one whose name is better spelled than in the documents.

    Args:
        store: It may be written to meanwhile; each document is exported as it is when it is read.
        target: A path (compressed if it ends in `.gz`), which appears only once it is complete,
            or a binary stream.

    Raises:
        StoreFull: there is no space left for the file.
        StoreUnavailable: the file cannot be written.
    """
    if not isinstance(target, str | os.PathLike):
        return _write_lines(store, target)
    with _completed(Path(target)) as stream:
        if not os.fspath(target).endswith(".gz"):
            return _write_lines(store, stream)
        # Without a name and a time in the header, the same documents yield the same bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as zipped:
            return _write_lines(store, cast(BinaryIO, zipped))


def _write_lines(store: DocumentStore, stream: BinaryIO) -> ExportReport:
    report, met = ExportReport(), dict[str, Author]()
    for document in chain.from_iterable(store.scan_documents(include_deleted=True)):
        if not document.is_intact():
            report.damaged.append(document.link)
            continue
        stream.write(f"{document_to_line(document)}\n".encode())
        author = Author.from_full_name(document.author_full_name)
        met[author.id] = author.better_spelled(met.get(author.id, author))
        report.documents += 1
    for author in store.authors():
        if met.get(author.id) != author:
            stream.write(f"{_author_line(author)}\n".encode())
    return report


def _author_line(author: Author) -> str:
    return json.dumps({AUTHOR: author.full_name}, ensure_ascii=False)


@contextmanager
def _completed(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream to a file beside `path`, which replaces `path` once the block succeeds."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(
                f"there is no space left to write {path}; nothing of it was kept"
            ) from error
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error
