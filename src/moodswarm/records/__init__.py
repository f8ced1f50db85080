"""Frozen records, their Arrow schemas, and the ids that name them.

Nothing here reads or writes a store, a file or the network.
"""

from moodswarm.records.author import Author
from moodswarm.records.chunk import CHUNK_SCHEMA, CLEANED_SCHEMA, FEATURE_INDEX_SCHEMA
from moodswarm.records.document import DOCUMENT_SCHEMA, KINDS, Document, InvalidDocument

__all__ = [
    "CHUNK_SCHEMA",
    "CLEANED_SCHEMA",
    "DOCUMENT_SCHEMA",
    "FEATURE_INDEX_SCHEMA",
    "KINDS",
    "Author",
    "Document",
    "InvalidDocument",
]
