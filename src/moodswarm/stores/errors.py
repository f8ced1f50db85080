"""What can go wrong with a store, each error with its remedy."""


class StoreError(Exception):
    """A store cannot do what was asked; the message names the store and the remedy.

    Messages never hold a password: locations are written with credentials masked.
    """


class StoreUnavailable(StoreError):
    """The store cannot be reached or opened."""


class StoreCorrupt(StoreError):
    """The store's files cannot be read."""


class StoreLocked(StoreError):
    """Another process holds the store; names its process id and command."""


class StoreFull(StoreError):
    """The disk is full or over quota; nothing half-written is kept."""


class VectorSizeMismatch(StoreError):
    """A collection holds vectors of another size; names collection, found and expected size."""
