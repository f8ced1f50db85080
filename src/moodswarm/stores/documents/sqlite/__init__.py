"""The embedded document store: one SQLite file, which many processes may share.

Nothing here decides what counts as changed; `stores.documents.changes` does, for every backend.
"""
