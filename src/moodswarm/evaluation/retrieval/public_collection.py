"""Reads public test collections: documents and queries in JSON lines, TREC or BEIR judgements."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from moodswarm.imports.lines import Limits, Unreadable, read_items
from moodswarm.records import Document, InvalidDocument
from moodswarm.records.ids import digest

AUTHOR = "Collection"
# The number of columns without and with the column for the iteration.
_COLUMNS = (3, 4)
_HEADERS = {"score", "relevance", "rel", "label", "judgement", "judgment"}
_HOST = "https://collection.invalid"


class UnusableCollection(ValueError):
    """A test collection cannot be used; the message names file, line and what was expected."""


@dataclass(slots=True)
class Judged:
    """The questions of a collection that can be asked and have judgements.

    Attributes:
        queries: The texts of the judged queries by id, in the order of their file.
        judgements: For each of these queries, the relevance of each judged document.
        unjudged: How many queries were left out because nothing is judged for them.
        unknown_queries: Judged queries that the queries file does not have; left out.
        unknown_documents: How many judgements are about documents that the corpus does not have;
            they stay, so that losing documents cannot improve a measure.
        without_relevant: How many judged queries have no relevant document; they count as 0.
    """

    queries: dict[str, str]
    judgements: dict[str, dict[str, int]]
    unjudged: int = 0
    unknown_queries: list[str] = field(default_factory=list)
    unknown_documents: int = 0
    without_relevant: int = 0


def read_corpus(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (id, title, text) of each document.

    Raises:
        UnusableCollection: a line is not a document, an id occurs twice, or there are no lines.
    """
    yield from (
        (identifier, _text(path, line, item, "title"), _text(path, line, item, "text"))
        for identifier, line, item in _items(path, "documents")
    )


def read_queries(path: Path) -> dict[str, str]:
    """Return the texts of the queries by id.

    Raises:
        UnusableCollection: a line is not a query, an id occurs twice, or there are no lines.
    """
    return {
        identifier: _text(path, line, item, "text")
        for identifier, line, item in _items(path, "queries")
    }


def read_judgements(path: Path) -> dict[str, dict[str, int]]:
    """Return the relevance of documents per query.

    Reads four columns `query iteration document relevance` (TREC), or three with a header line
    `query-id corpus-id score` (BEIR), separated by tabs, or by white space if there are no tabs.

    Raises:
        UnusableCollection: a line has other columns, or two lines judge the same pair differently.
    """
    judgements: dict[str, dict[str, int]] = {}
    for number, columns in _rows(path):
        query, document, level = _judgement(path, number, columns)
        known = judgements.setdefault(query, {})
        if known.setdefault(document, level) != level:
            raise UnusableCollection(
                f"{path} line {number}: query {query!r} and document {document!r} were judged "
                f"{known[document]} before and {level} here; expected one judgement"
            )
    if not judgements:
        raise UnusableCollection(f"{path}: no judgements; expected lines `query 0 document 1`")
    return judgements


def join_judgements(
    queries: Mapping[str, str],
    judgements: Mapping[str, Mapping[str, int]],
    known_documents: Mapping[str, Any] | set[str],
    limit: int | None = None,
) -> Judged:
    """Join queries and judgements; count and leave out those without a counterpart.

    Args:
        queries: The texts of the queries, by id.
        judgements: The relevance of documents, per query.
        known_documents: The ids of the corpus.
        limit: How many of the judged queries to take, from the first on; None for all.

    Raises:
        UnusableCollection: no query is judged.
    """
    judged = [name for name in queries if name in judgements][:limit]
    if not judged:
        some_query, some_judged = (next(iter(names), None) for names in (queries, judgements))
        raise UnusableCollection(
            "no query is judged: the queries have ids such as "
            f"{some_query!r}, the judgements such as {some_judged!r}; expected the same ids"
        )
    kept = {name: dict(judgements[name]) for name in judged}
    return Judged(
        queries={name: queries[name] for name in judged},
        judgements=kept,
        unjudged=sum(name not in judgements for name in queries),
        unknown_queries=sorted(judgements.keys() - queries.keys()),
        unknown_documents=sum(
            name not in known_documents for levels in kept.values() for name in levels
        ),
        without_relevant=sum(max(levels.values()) <= 0 for levels in kept.values()),
    )


def as_document(identifier: str, title: str, text: str, kind: str) -> Document:
    """Return a document of a collection as the document store keeps it.

    Its link is made from a digest, as the ids in collections contain slashes, spaces and letters
    that would be changed in a link.

    Raises:
        InvalidDocument: the text is not Unicode that a store can hold.
    """
    return Document.create(
        kind=kind,
        platform="collection",
        link=f"{_HOST}/{digest({'id': identifier})[:32]}",
        author_full_name=AUTHOR,
        title=title.strip() or None,
        content=f"# {title.strip()}\n\n{text}" if title.strip() else text,
    )


def read_documents(
    path: Path, kind: str, rejected: dict[str, str], named: dict[str, str]
) -> Iterator[Document]:
    """Yield the corpus as documents.

    Args:
        path: The corpus as JSON lines.
        kind: The kind that the documents get.
        rejected: A dict to fill with the reason for each id that cannot become a document.
        named: A dict to fill with the collection's id for the id of each document.
    """
    for identifier, title, text in read_corpus(path):
        try:
            document = as_document(identifier, title, text, kind)
        except InvalidDocument as error:
            rejected[identifier] = str(error)
            continue
        named[document.id] = identifier
        yield document


def _items(path: Path, what: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    seen: dict[str, int] = {}
    for line, item in read_items(existing(path), Limits()):
        if isinstance(item, Unreadable):
            place = f"{path} line {line}" if line else str(path)
            expected = f"; expected {what} as JSON lines" if line else ""
            raise UnusableCollection(f"{place}: {item.reason}{expected}")
        identifier = _identifier(path, line, item)
        if identifier in seen:
            raise UnusableCollection(
                f"{path} line {line}: id {identifier!r} is on line {seen[identifier]} as well; "
                "expected every id once"
            )
        seen[identifier] = line
        yield identifier, line, item
    if not seen:
        raise UnusableCollection(f"{path}: no {what}; expected one JSON object a line")


def _identifier(path: Path, line: int, item: Mapping[str, Any]) -> str:
    value = item.get("id", item.get("_id"))
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise UnusableCollection(
            f"{path} line {line}: expected an `id` (or `_id`), text or a whole number, found "
            f"{value!r:.60}"
        )
    return str(value)


def _text(path: Path, line: int, item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if value is None and name == "title":
        return ""
    if not isinstance(value, str):
        found = f"{type(value).__name__} {value!r:.60}" if name in item else "nothing"
        raise UnusableCollection(f"{path} line {line}: `{name}`: expected text, found {found}")
    return value


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, columns), without empty lines and without the header."""
    try:
        with _text_of(existing(path)) as stream:
            for number, line in enumerate(stream, start=1):
                columns = line.rstrip("\r\n").split("\t")
                columns = [c.strip() for c in columns] if len(columns) > 1 else line.split()
                header = number == 1 and bool(columns) and columns[-1].lower() in _HEADERS
                if columns and not header:
                    yield number, columns
    except UnicodeDecodeError as error:
        raise UnusableCollection(f"{path}: not UTF-8: {error.reason}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnusableCollection(f"{path}: broken gzip file: {error}") from error


def _text_of(path: Path) -> TextIO:
    """Open a file of judgements, which may be plain or gzip, like the documents and queries."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    if zipped:
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _judgement(path: Path, number: int, columns: list[str]) -> tuple[str, str, int]:
    if len(columns) not in _COLUMNS or not _is_number(columns[-1]):
        raise UnusableCollection(
            f"{path} line {number}: expected `query 0 document relevance`, or "
            f"`query document relevance`, with a whole number at the end; found "
            f"{' '.join(columns)!r:.80}"
        )
    return columns[0], columns[-2], int(float(columns[-1]))


def _is_number(text: str) -> bool:
    try:
        return float(text).is_integer()
    except ValueError:
        return False


def existing(path: Path) -> Path:
    """Return the path of a file that exists.

    Raises:
        UnusableCollection: the file does not exist.
    """
    if not path.is_file():
        raise UnusableCollection(f"{path}: no such file; expected a file of the test collection")
    return path
