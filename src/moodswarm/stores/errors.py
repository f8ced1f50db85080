"""Errors that stores raise; each message says what is wrong and what to do about it."""


class StoreError(Exception):
    """A store cannot do what was asked; the message names the store and a remedy.

    A message never contains a password: locations are shown without credentials.
    """


class StoreUnavailable(StoreError):
    """The store cannot be reached or opened."""


class StoreCorrupt(StoreError):
    """The store's files cannot be read."""


class StoreLocked(StoreError):
    """Another process holds the store; the message names that process if it is known."""


class StoreFull(StoreError):
    """The disk is full or a quota is used up; nothing half-written is kept."""


class VectorSizeMismatch(StoreError):
    """A collection has another vector size; the message names the collection and both sizes."""
