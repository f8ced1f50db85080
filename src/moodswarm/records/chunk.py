"""Arrow schemas of cleaned documents, of chunks and of the feature index.

These rows only ever exist as tables, so they have no dataclass.
"""

from typing import Any

import pyarrow as pa

from moodswarm.records.document import DOCUMENT_SCHEMA

#: Fields that filters and citations need; each chunk takes them from its document.
METADATA = (
    "kind",
    "platform",
    "link",
    "author_id",
    "author_full_name",
    "title",
    "language",
    "published_at",
    "path",
    "repository_id",
    "commit",
)
_METADATA = [DOCUMENT_SCHEMA.field(name) for name in METADATA]

#: A document with its cleaned text. `revision` combines the document's content hash with the
#: parameters, model and code that its features were made with.
CLEANED_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        *_METADATA,
        pa.field("text", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
        pa.field("source_characters", pa.int64(), nullable=False),
        pa.field("dropped", pa.map_(pa.string(), pa.int64()), nullable=False),
    ]
)

#: A slice of a cleaned text: `text == cleaned[start:end]`, offsets in code points.
CHUNK_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),
        *_METADATA,
        pa.field("position", pa.int32(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("token_count", pa.int32(), nullable=False),
        pa.field("unknown_tokens", pa.int32(), nullable=False),
        pa.field("revision", pa.string(), nullable=False),
    ]
)

_FEATURE_INDEX: "list[pa.Field[Any]]" = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("kind", pa.string(), nullable=False),
    pa.field("revision", pa.string(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("chunks", pa.int32(), nullable=False),
]

#: One row per document. `status` is `started` while its points are being written (with an empty
#: revision, which matches no document), then `embedded`, or `rejected` for the given `reason`. A
#: row with status `deleted` removes the document and all its points.
FEATURE_INDEX_SCHEMA = pa.schema(_FEATURE_INDEX)
