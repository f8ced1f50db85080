"""Compare the documents in the store with the feature index, which records their features."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moodswarm.records.ids import digest


@dataclass(frozen=True, slots=True)
class Selected:
    """One document and what has to be done with it.

    Attributes:
        status: `new`, `changed`, `unchanged` or `deleted`.
        reason: The reason why an unchanged document has no points, else None.
        revision: Digest of its content and of the way its features are made.
    """

    id: str
    kind: str
    status: str
    reason: str | None
    revision: str


def revision_of(content_hash: str, fingerprint: str) -> str:
    """Return a digest of a document's content and the way its features are made."""
    return digest({"content_hash": content_hash, "fingerprint": fingerprint})[:32]


def compare(
    documents: Iterable[Mapping[str, Any]],
    index_rows: Iterable[Mapping[str, Any]],
    fingerprints: Mapping[str, str],
    distrusted_kinds: frozenset[str] | set[str] = frozenset(),
) -> Iterator[Selected]:
    """Merge two streams ordered by id; the memory used does not grow with their length.

    Args:
        documents: `id`, `kind` and `content_hash` of the documents that should have features.
        index_rows: Rows of `FEATURE_INDEX_SCHEMA`.
        fingerprints: For each kind, the digest of the way its features are made.
        distrusted_kinds: Kinds whose index rows cannot be trusted; all their documents count as
            changed.
    """
    rows = iter(index_rows)
    row = next(rows, None)
    for document in documents:
        while row is not None and row["id"] < document["id"]:
            yield _deleted(row)
            row = next(rows, None)
        indexed = row if row is not None and row["id"] == document["id"] else None
        yield _compare_one(document, indexed, fingerprints, distrusted_kinds)
        if indexed is not None:
            row = next(rows, None)
    while row is not None:
        yield _deleted(row)
        row = next(rows, None)


def _compare_one(
    document: Mapping[str, Any],
    indexed: Mapping[str, Any] | None,
    fingerprints: Mapping[str, str],
    distrusted_kinds: frozenset[str] | set[str],
) -> Selected:
    kind = document["kind"]
    revision = revision_of(document["content_hash"], fingerprints[kind])
    if indexed is None:
        return Selected(document["id"], kind, "new", None, revision)
    if indexed["revision"] != revision or kind in distrusted_kinds:
        return Selected(document["id"], kind, "changed", None, revision)
    return Selected(document["id"], kind, "unchanged", indexed.get("reason"), revision)


def _deleted(row: Mapping[str, Any]) -> Selected:
    return Selected(row["id"], row["kind"], "deleted", None, row["revision"])
