"""Everything that one database holds: documents, and beside them the ledger and the calls.

A stage that keeps records of its own adds a protocol for them in a module beside `ledger.py`, an
implementation in `sqlite/` and `mongodb/` over the connection that is open there, a contract suite,
and a property here. `DocumentStore` stays as it is, and so does every caller that takes one.
"""

from typing import Protocol

from moodswarm.stores.documents.calls import CallStore
from moodswarm.stores.documents.ledger import LedgerStore
from moodswarm.stores.documents.protocol import DocumentStore


class DocumentDatabase(DocumentStore, Protocol):
    """A document store, and what shares its connection.

    Take this only to open, close or pass on a database. Code that reads or writes takes the one
    protocol that it needs.
    """

    @property
    def ledger(self) -> LedgerStore:
        """The crawl ledger."""
        ...

    @property
    def calls(self) -> CallStore:
        """The calls of language models."""
        ...
