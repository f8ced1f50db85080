"""Decides what a batch of documents changes in a store, for every backend alike."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from moodswarm.records import Author, Document
from moodswarm.records.document import utc_milliseconds
from moodswarm.records.fields import field_names
from moodswarm.stores.documents.protocol import Failure, UpsertResult

#: Fields that say where a document came from. If nothing else changed, only these are updated.
PROVENANCE = ("fetched_at", "etag", "spider", "commit", "licence")


@dataclass(frozen=True, slots=True)
class State:
    """The fields of a stored document that decide whether it changed."""

    content_hash: str
    updated_at: datetime | None
    deleted_at: datetime | None
    fetched_at: datetime | None
    etag: str | None
    spider: str | None
    commit: str | None
    licence: str | None

    @classmethod
    def of(cls, document: Document) -> "State":
        """Return the state that this document has when it is stored as given."""
        return cls(*(getattr(document, name) for name in STATE_FIELDS))


#: The columns to read for a `State`; the content hash stands for all other columns.
STATE_FIELDS = field_names(State)


@dataclass(slots=True)
class Changes:
    """The writes that one batch leads to, and how each of its documents is counted.

    Attributes:
        writes: Documents to insert or replace, by id.
        provenance: Documents in which only the fields in `PROVENANCE` are new, by id.
        outcomes: For each id, one of `inserted`, `changed` or `unchanged` per document given.
        failures: Documents that could not be stored, and why; each backend adds its own.
    """

    writes: dict[str, Document] = field(default_factory=dict)
    provenance: dict[str, Document] = field(default_factory=dict)
    outcomes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    failures: list[Failure] = field(default_factory=list)

    def authors(self) -> dict[str, Author]:
        """Return the authors of the documents to write, by id."""
        authors: dict[str, Author] = {}
        for name in {document.author_full_name for document in self.writes.values()}:
            author = Author.from_full_name(name)
            authors[author.id] = author.better_spelled(authors.get(author.id, author))
        return authors

    def fail(self, document_id: str, reason: str) -> None:
        """Count everything planned for a document as failed."""
        link = self.writes[document_id].link
        self.failures += [Failure(link, reason) for _ in self.outcomes.pop(document_id)]

    def result(self) -> UpsertResult:
        """Return the counts; call this after every write has been attempted."""
        counts = [outcome for outcomes in self.outcomes.values() for outcome in outcomes]
        return UpsertResult(
            inserted=counts.count("inserted"),
            changed=counts.count("changed"),
            unchanged=counts.count("unchanged"),
            failed=tuple(self.failures),
        )


def storable(
    documents: Iterable[Document], obstacle: Callable[[Document], str | None]
) -> tuple[list[Document], list[Failure]]:
    """Separate the documents that a store can hold from those that it cannot.

    Args:
        obstacle: Returns why this store cannot hold a document, or None if it can.
    """
    fine, failures = [], []
    for document in documents:
        if reason := obstacle(document) or _broken_text(document):
            failures.append(Failure(document.link, reason))
        else:
            fine.append(document)
    return fine, failures


def _broken_text(document: Document) -> str | None:
    """Describe text that UTF-8 cannot encode, or return None.

    `Document.create` refuses such text, but a document may have been built without it.
    """
    try:
        for text in (document.content, document.title or "", document.path or ""):
            text.encode()
    except UnicodeEncodeError as error:
        return f"broken Unicode at character {error.start}; expected text that UTF-8 can encode"
    return None


def plan_upsert(documents: Sequence[Document], stored: Mapping[str, State]) -> Changes:
    """Decide what `DocumentStore.upsert_documents` writes.

    Args:
        documents: The batch; several documents with the same link are applied in order.
        stored: The state of each document that the store holds, by id.
    """
    changes, states, now = Changes(), dict(stored), utc_milliseconds(datetime.now(UTC))
    for document in documents:
        state = states.get(document.id)
        if state is None or _differs(document, state):
            changes.outcomes[document.id].append("changed" if state else "inserted")
            changes.writes[document.id] = replace(document, updated_at=now)
            states[document.id] = State.of(changes.writes[document.id])
            continue
        changes.outcomes[document.id].append("unchanged")
        if document.fetched_at and _provenance(document) != _provenance(state):
            _update_provenance(changes, document)
            states[document.id] = replace(state, **_provenance(document))
    return changes


def plan_restore(documents: Sequence[Document], stored: Mapping[str, State]) -> Changes:
    """Decide what `DocumentStore.restore_documents` writes; see `plan_upsert` for the arguments."""
    changes, states = Changes(), dict(stored)
    for document in documents:
        state = states.get(document.id)
        states[document.id] = State.of(document)
        if state == states[document.id]:
            changes.outcomes[document.id].append("unchanged")
        else:
            changes.outcomes[document.id].append("changed" if state else "inserted")
            changes.writes[document.id] = document
    return changes


def _differs(document: Document, state: State) -> bool:
    return (
        document.content_hash != state.content_hash
        or (document.deleted_at is None) != (state.deleted_at is None)
    )  # fmt: skip


def _provenance(of: Document | State) -> dict[str, Any]:
    return {name: getattr(of, name) for name in PROVENANCE}


def _update_provenance(changes: Changes, document: Document) -> None:
    if written := changes.writes.get(document.id):
        changes.writes[document.id] = replace(written, **_provenance(document))
    else:
        changes.provenance[document.id] = document
