"""Batch functions of the feature pipeline: they clean documents, and cut them into chunks."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from moodswarm.records import CHUNK_SCHEMA, CLEANED_SCHEMA
from moodswarm.records.chunk import METADATA
from moodswarm.records.ids import chunk_id
from moodswarm.records.tokens import Tokenizer
from moodswarm.text.chunking import ChunkingParams, chunk_texts
from moodswarm.text.cleaning import CleaningParams, clean_text

CODE_VERSION: int = 1
"""Raise it whenever a step's output changes for the same input.

It is part of every document's revision. Raising it makes all features again; forgetting to raise
it leaves old and new chunks side by side.
"""

_COUNTS = ("token_count", "unknown_tokens")
#: Rows of `clean_batch`: `CLEANED_SCHEMA` and why a document was rejected (null if it was not).
CLEANED_OR_REJECTED_SCHEMA = CLEANED_SCHEMA.append(pa.field("reason", pa.string()))


def clean_batch(table: pa.Table, params: CleaningParams) -> pa.Table:
    """Clean a batch of documents.

    Args:
        table: `DOCUMENT_SCHEMA` with an added string column `revision`.
        params: Limits and switches of cleaning.

    Returns:
        One row of `CLEANED_OR_REJECTED_SCHEMA` per document, in order. A rejected row has an
        empty text and one of `cleaning.REJECTIONS` as its reason.
    """
    contents, kinds = _values(table, "content"), _values(table, "kind")
    cleaned = [
        clean_text(content, kind, params) for content, kind in zip(contents, kinds, strict=True)
    ]
    columns: dict[str, Any] = {
        name: table[name] for name in ("id", *METADATA, "content_hash", "revision")
    }
    columns["text"] = pa.array([document.text for document in cleaned], pa.string())
    columns["source_characters"] = pa.array([len(content) for content in contents], pa.int64())
    columns["dropped"] = pa.array(
        [sorted(document.dropped.items()) for document in cleaned],
        CLEANED_SCHEMA.field("dropped").type,
    )
    columns["reason"] = pa.array([document.reason for document in cleaned], pa.string())
    return _arrange(columns, CLEANED_OR_REJECTED_SCHEMA)


def chunk_batch(table: pa.Table, params: ChunkingParams, tokenizer: Tokenizer) -> pa.Table:
    """Cut a batch of cleaned documents into chunks.

    Args:
        table: `CLEANED_SCHEMA`; other columns are ignored. An empty text has no chunks.
        params: Chunk sizes for each kind.
        tokenizer: The embedding model's own tokenizer.

    Returns:
        `CHUNK_SCHEMA`, in the order of the documents and of the positions within each document.
    """
    ids, texts = _values(table, "id"), _values(table, "text")
    kinds, paths = _values(table, "kind"), _values(table, "path")
    documents = chunk_texts(texts, kinds, paths, params, tokenizer)
    rows: list[int] = []
    values: dict[str, list[Any]] = {
        name: [] for name in ("id", "position", "start", "end", "text", *_COUNTS)
    }
    for row, spans in enumerate(documents):
        rows.extend([row] * len(spans))
        for position, span in enumerate(spans):
            text = texts[row][span.start : span.end]
            values["id"].append(chunk_id(ids[row], position, text))
            values["position"].append(position)
            values["text"].append(text)
            for name in ("start", "end", *_COUNTS):
                values[name].append(getattr(span, name))
    source = table.select(["id", *METADATA, "revision"]).take(pa.array(rows, pa.int64()))
    columns: dict[str, Any] = {name: source[name] for name in (*METADATA, "revision")}
    columns["document_id"] = source["id"]
    for name, column in values.items():
        columns[name] = pa.array(column, CHUNK_SCHEMA.field(name).type)
    return _arrange(columns, CHUNK_SCHEMA)


def _values(table: pa.Table, name: str) -> list[Any]:
    values: list[Any] = table[name].to_pylist()
    return values


def _arrange(columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)
