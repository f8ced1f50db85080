"""One database holds the documents, the crawl ledger and the calls to language models.

A new stage that keeps records of its own leaves `DocumentStore` as it is. It adds
1. a protocol in a module beside `ledger.py`,
2. a class in `sqlite/` and one in `mongodb/`, using the connection that the store has open,
3. a property to `DocumentDatabase`, and
4. a contract suite in `tests/contracts`.
"""

from typing import Protocol

from moodswarm.stores.documents.calls import CallStore
from moodswarm.stores.documents.ledger import LedgerStore
from moodswarm.stores.documents.protocol import DocumentStore


class DocumentDatabase(DocumentStore, Protocol):
    """A document store, and the other stores that share its connection.

    Use this type where a database is opened, closed or passed on. Code that reads or writes
    should ask for the one protocol that it needs.
    """

    @property
    def ledger(self) -> LedgerStore:
        """The crawl ledger."""
        ...

    @property
    def calls(self) -> CallStore:
        """The stored calls to language models."""
        ...

    def verify(self) -> None:
        """Read all files of an embedded store; a server looks after its own.

        Raises:
            StoreCorrupt: a file is damaged.
        """
        ...
