"""The vector store on a Qdrant server.

Nothing imports qdrant-client before a store is opened, so the `server` extra is needed only then.
"""
