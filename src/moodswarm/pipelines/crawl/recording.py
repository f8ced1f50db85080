"""Turns the crawler's events into documents, ledger entries and visits."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from moodswarm.crawl.events import Event, LinkFound, Visited
from moodswarm.pipelines.crawl.planning import MISSES_UNTIL_GONE, Round
from moodswarm.pipelines.crawl.visits import Page
from moodswarm.records import Document, InvalidDocument
from moodswarm.records.jsonl import document_from_values
from moodswarm.records.ledger import LedgerEntry, ledger_id
from moodswarm.stores.documents.ledger import LedgerStore
from moodswarm.stores.documents.protocol import DocumentStore


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: str
    reason: str | None = None
    detail: str | None = None


_BY_HAND = _Result("skipped", "deleted_by_hand", "import it to bring it back")
_MOVED = "moved"


class Recorder:
    """Turns pages of events into the rows that are saved.

    Args:
        documents: The store from which a page's documents are read; nothing is written to it.
        ledger: The ledger from which a page's known links are read; nothing is written to it.
        rounds: The rounds, by source id.
    """

    def __init__(
        self, documents: DocumentStore, ledger: LedgerStore, rounds: Mapping[str, Round]
    ) -> None:
        self._documents = documents
        self._ledger = ledger
        self._rounds = rounds
        self._counts: dict[str, Counter[str | None]] = {}

    def record(self, events: Sequence[Event]) -> Page:
        """Return the changes that a page of events makes."""
        return _PageRecorder(
            self._documents, self._ledger, self._rounds, events, self._files
        ).record()

    def _files(self, event: Visited) -> int:
        """Return how many files a repository had; one scan counts the files of a whole source."""
        if event.source_id not in self._counts:
            pages = self._ledger.scan([event.source_id])
            self._counts[event.source_id] = Counter(
                entry.found_on
                for page in pages
                for entry in page
                if entry.role == "file" and entry.state == "done"
            )
        return self._counts[event.source_id][event.url]


class _PageRecorder:
    """One page of events, with the stored rows that these events affect."""

    def __init__(
        self,
        documents: DocumentStore,
        ledger: LedgerStore,
        rounds: Mapping[str, Round],
        events: Sequence[Event],
        files: Callable[[Visited], int],
    ) -> None:
        self._events = events
        self._files = files
        self._rounds = rounds
        self._documents = documents
        self._entries = ledger
        self._page = Page()
        self._drafts = {i: _draft(e) for i, e in enumerate(events) if isinstance(e, Visited)}
        drafts = [draft for draft in self._drafts.values() if isinstance(draft, Document)]
        ids = {ledger_id(e.url) for e in events if isinstance(e, Visited)}
        ids |= {draft.id for draft in drafts}
        self._ledger = {entry.id: entry for entry in ledger.get(sorted(ids))}
        known = {draft.id for draft in drafts}
        known |= {e.document_id for e in self._ledger.values() if e.document_id}
        # A document may have been fetched at an address other than its own, see `_miss`.
        found_on = {ledger_id(e.found_on) for e in self._ledger.values() if e.found_on}
        others = ledger.get(sorted((known | found_on) - ids))
        self._ledger |= {entry.id: entry for entry in others}
        self._stored = {d.id: d for d in documents.get_documents(sorted(known))}

    def record(self) -> Page:
        for position, event in enumerate(self._events):
            if isinstance(event, LinkFound):
                self._find(event)
            elif isinstance(event, Visited):
                self._visit(event, self._drafts[position])
        return self._page

    def _find(self, event: LinkFound) -> None:
        entry = LedgerEntry(
            id=ledger_id(event.url),
            source_id=event.source_id,
            url=event.url,
            role=event.role,
            state="queued",
            round=self._rounds[event.source_id].began,
            depth=event.depth,
            found_on=event.found_on,
        )
        self._page.ledger.append(entry)

    def _visit(self, event: Visited, draft: "Document | InvalidDocument | None") -> None:
        before = self._ledger.get(ledger_id(event.url))
        if isinstance(draft, InvalidDocument):
            result = _Result("failed", "invalid_document", str(draft))
        elif draft:
            result = self._store_document(event, draft, before)
        else:
            result = self._without_document(event, before)
        entry = self._entry(event, before, result, draft if isinstance(draft, Document) else None)
        self._save(entry)
        self._page.visits.append(self._row(event, result, draft))
        if event.role == "repository":
            self._end_repository(event)

    def _end_repository(self, event: Visited) -> None:
        if event.outcome == "not_modified":
            self._page.visits[-1]["unchanged_files"] = self._files(event)
        # Files beyond the limit `repositories.files` were not read, so their documents are kept.
        whole = event.outcome == "listed" and "too_many_files" not in event.skipped
        if whole and self._files(event):
            self._remove_lost_files(event)

    def _store_document(
        self, event: Visited, document: Document, before: LedgerEntry | None
    ) -> _Result:
        canonical = self._ledger.get(document.id)
        if ledger_id(event.url) != document.id:
            if canonical and canonical.state in ("queued", "done"):
                return _Result("skipped", "duplicate", f"of {canonical.url}")
            self._save(self._canonical_entry(event, document, canonical))
        stored = self._stored.get(document.id)
        if stored and stored.deleted_at and not _found_gone(before, canonical):
            return _BY_HAND
        self._page.documents[document.id] = document
        self._stored[document.id] = document
        if stored is None:
            return _Result("new")
        same = stored.content_hash == document.content_hash and stored.deleted_at is None
        return _Result("unchanged" if same else "changed")

    def _without_document(self, event: Visited, before: LedgerEntry | None) -> _Result:
        if event.outcome == "gone":
            return self._miss(event, before)
        if event.outcome == "not_modified" and event.role == "page":
            return self._same(before)
        if event.outcome in ("not_modified", "listed"):
            return _Result("listed", event.reason, event.detail)
        if event.outcome == "fetched":
            return _Result("failed", "no_document", "the crawler sent no document")
        return _Result(event.outcome, event.reason, event.detail)

    def _same(self, before: LedgerEntry | None) -> _Result:
        stored = self._stored.get(before.document_id or "") if before else None
        if stored and stored.deleted_at:
            return _BY_HAND
        reason, _, detail = ((before and before.reason) or "").partition(": ")
        if before and before.state == "skipped" and reason != _BY_HAND.reason:
            return _Result("skipped", reason, detail or None)
        if stored is None:
            return _Result("failed", "not_stored", "the next run asks for it in full")
        return _Result("unchanged")

    def _miss(self, event: Visited, before: LedgerEntry | None) -> _Result:
        if before is None or before.document_id is None:
            return _Result("failed", event.reason or "not_found", event.detail)
        stored = self._stored.get(before.document_id)
        if stored is None or stored.deleted_at:  # deleted only once, even if a feed still names it
            return _Result("failed", event.reason or "not_found", event.detail)
        if before.misses + 1 < MISSES_UNTIL_GONE:
            return _Result("missing", event.reason, "deleted if it is missing again next time")
        if elsewhere := self._elsewhere(before):
            return _Result("skipped", _MOVED, f"to {elsewhere.url}")
        self._tombstone(before.document_id, event.visited_at)
        return _Result("gone", event.reason, event.detail)

    def _elsewhere(self, before: LedgerEntry) -> LedgerEntry | None:
        """Return another known address of the same document that is not gone, if there is one.

        It is either the canonical address, which may be failing only today, or the address whose
        page named this one as canonical.
        """
        others = [before.document_id, ledger_id(before.found_on) if before.found_on else None]
        for entry in (self._ledger.get(id_) for id_ in others if id_ and id_ != before.id):
            if entry and entry.document_id == before.document_id and entry.state != "gone":
                return entry
        return None

    def _tombstone(self, document_id: str, at: datetime) -> None:
        stored = self._stored.get(document_id)
        if stored and stored.deleted_at is None:
            self._page.documents[document_id] = replace(stored, deleted_at=at)
            self._stored[document_id] = self._page.documents[document_id]

    def _remove_lost_files(self, event: Visited) -> None:
        """Delete the files that a repository had in an earlier round and no longer has."""
        began = self._rounds[event.source_id].began
        for page in self._entries.scan([event.source_id]):
            lost = {
                entry.document_id: entry
                for entry in page
                if entry.found_on == event.url
                and entry.role == "file"
                and entry.round != began
                and entry.state == "done"
                and entry.document_id
                and self._ledger.get(entry.id, entry).round != began
            }
            for document in self._documents.get_documents(sorted(lost)):
                entry = lost[document.id]
                self._stored[document.id] = document
                self._tombstone(document.id, event.visited_at)
                self._save(replace(entry, state="gone", misses=MISSES_UNTIL_GONE, round=began))
                gone = event.model_copy(update={"url": entry.url, "role": "file"})
                self._page.visits.append(self._row(gone, _Result("gone", "not_in_commit"), None))

    def _entry(
        self,
        event: Visited,
        before: LedgerEntry | None,
        result: _Result,
        document: Document | None,
    ) -> LedgerEntry:
        began = self._rounds[event.source_id].began
        entry = LedgerEntry(
            id=ledger_id(event.url),
            source_id=event.source_id,
            url=event.url,
            role=event.role,
            # A link that never led anywhere is not tried again before the next round.
            state="gone"
            if event.outcome == "gone"
            else _STATES.get(result.outcome, result.outcome),
            round=began,
            depth=event.depth,
            misses=1 + (before.misses if before else 0) if event.outcome == "gone" else 0,
            found_on=event.found_on or (before.found_on if before else None),
            reason=": ".join(part for part in (result.reason, result.detail) if part) or None,
            document_id=document.id if document else before.document_id if before else None,
            etag=event.etag,
            last_modified=event.last_modified,
            revision=event.revision,
            visited_at=event.visited_at,
        )
        if document and document.id != entry.id:
            # A second address of a document is always asked for in full, because the document's
            # own address may be gone by then.
            entry = replace(entry, etag=None, last_modified=None)
        if entry.state == "failed":
            earlier = before.attempts if before and before.round == began else 0
            return replace(entry, attempts=earlier + 1)
        if event.outcome == "not_modified" and before:
            # A response with status 304 need not repeat the validators of the request.
            return replace(
                entry,
                etag=event.etag or before.etag,
                last_modified=event.last_modified or before.last_modified,
                revision=before.revision,
            )
        return entry

    def _canonical_entry(
        self, event: Visited, document: Document, known: LedgerEntry | None
    ) -> LedgerEntry:
        """Return the entry for the page's own address, which the next round asks for.

        Other addresses of the document are then skipped in its favour. If the page's own address is
        gone, it is not asked for, and the page that names it remains the only address.
        """
        if known and known.state == "gone":
            return replace(
                known,
                source_id=event.source_id,
                round=self._rounds[event.source_id].began,
                misses=MISSES_UNTIL_GONE,
                reason=f"{_MOVED}: to {event.url}",
                document_id=document.id,
                found_on=event.url,
            )
        assert event.document is not None  # noqa: S101  # the document was made from it
        return LedgerEntry(
            id=document.id,
            source_id=event.source_id,
            url=str(event.document["link"]),
            role=event.role,
            state="done",
            round=self._rounds[event.source_id].began,
            depth=event.depth,
            found_on=event.url,
            document_id=document.id,
            visited_at=event.visited_at,
        )

    def _save(self, entry: LedgerEntry) -> None:
        self._ledger[entry.id] = entry
        self._page.ledger.append(entry)

    def _row(
        self, event: Visited, result: _Result, document: "Document | InvalidDocument | None"
    ) -> dict[str, Any]:
        return {
            "source_id": event.source_id,
            "link": event.url,
            "role": event.role,
            "outcome": result.outcome,
            "reason": result.reason,
            "detail": result.detail,
            "found_on": event.found_on,
            "title": document.title if isinstance(document, Document) else None,
            "skipped_files": list(event.skipped.items()),
            "left_out": list(event.left_out.items()),
            "unchanged_files": 0,
            "continued": self._rounds[event.source_id].continued,
        }


_STATES = {
    "new": "done",
    "changed": "done",
    "unchanged": "done",
    "listed": "done",
}


def _draft(event: Visited) -> Document | InvalidDocument | None:
    if event.document is None:
        return None
    try:
        return document_from_values(event.document)
    except InvalidDocument as error:
        return error


def _found_gone(*entries: LedgerEntry | None) -> bool:
    """Return whether the crawl itself deleted the document, because its page was gone."""
    return any(
        entry is not None
        and entry.misses >= MISSES_UNTIL_GONE
        and not (entry.reason or "").startswith(_MOVED)
        for entry in entries
    )
