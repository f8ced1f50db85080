"""Nodes of the feature pipeline: each applies a step to pages of records.

Nodes that produce records are generators, and Kedro saves their pages one by one, so memory does
not grow with the corpus. Each yields at least one page, even if it is empty, so that a run never
reads what an earlier run left behind.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, zip_longest
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from moodswarm.datasets.vectors import FeatureIndex
from moodswarm.engines.engine import EngineParams, Step
from moodswarm.engines.opening import open_engine
from moodswarm.models.embedder import Embedder, embed_batch
from moodswarm.models.embedding_parameters import EmbeddingParams
from moodswarm.pipelines.feature.parameters import (
    IndexingParams,
    PagingParams,
)
from moodswarm.pipelines.feature.recipe import Recipe, StalePages, with_revisions
from moodswarm.pipelines.feature.selection import Selected, compare
from moodswarm.records import (
    CHUNK_SCHEMA,
    CLEANED_SCHEMA,
    DOCUMENT_SCHEMA,
    FEATURE_INDEX_SCHEMA,
    KINDS,
)
from moodswarm.records.document import Document, documents_to_table
from moodswarm.stores.documents.protocol import DocumentStore
from moodswarm.text.chunk_report import visible_characters
from moodswarm.text.chunking import ChunkingParams
from moodswarm.text.cleaning import CleaningParams
from moodswarm.text.lexical import LexicalEncoder, LexicalParams, lexical_batch
from moodswarm.text.steps import chunk_batch, clean_batch

CHANGED_SCHEMA = DOCUMENT_SCHEMA.append(pa.field("revision", pa.string(), nullable=False))
REJECTED_SCHEMA = pa.schema(
    [field for field in CLEANED_SCHEMA if field.name not in ("text", "dropped")]
).append(pa.field("reason", pa.string(), nullable=False))
SELECTION_SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("documents", pa.int64(), nullable=False),
    ]
)

# How many documents are read at once. It is small because their size is not known in advance.
READ_AT_ONCE = 16
# Limit on the rows of a page; documents that need no work are counted there, but not read.
ROWS_PER_PAGE = 10_000


class EmptyDocumentStore(ValueError):
    """There are no documents to make features from."""


def select_changed_documents(
    documents: DocumentStore,
    feature_index: FeatureIndex,
    cleaning: CleaningParams,
    chunking: ChunkingParams,
    embedding: EmbeddingParams,
    lexical: LexicalParams,
    paging: PagingParams,
) -> Iterator[tuple[pa.Table, pa.Table, pa.Table]]:
    """Find the documents whose features are missing, out of date or no longer wanted.

    Yields:
        Pages of (changed documents with the `revision` that their features will have, index rows
        of deleted documents, counts per kind and status). The recipe is kept with the documents
        of each page, and later nodes keep it with their pages too.

    Raises:
        EmptyDocumentStore: the store is empty, without even documents marked as deleted.
        VectorSizeMismatch: the collections hold vectors of another size, from another model.
    """
    _require_documents(documents)
    embedder = embedding.embedder()
    # Checked here and not when writing, so that a run with the wrong model fails before any work.
    feature_index.require_dimensions(embedder.dimensions, embedding.model)
    recipe = Recipe.intended(cleaning, chunking, embedding, lexical)
    selected = compare(
        (row for page in documents.scan_hashes() for row in page.to_pylist()),
        feature_index.rows(),
        recipe.fingerprints(),
        feature_index.emptied_kinds(),
    )
    for page in chain(_pages(selected, documents, paging), [[]]):
        yield recipe.keep(_changed(page)), _removed(page), _counted(page)


def clean_documents(
    changed_documents: Iterable[pa.Table], cleaning: CleaningParams, engine: EngineParams
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Clean documents; rejected ones go to an output of their own, each with a reason."""
    step = partial(_clean_step, cleaning)
    recipe = Recipe.of(changed_documents).cleaned_with(cleaning)
    stamped = map(recipe.stamp, changed_documents)
    for page in open_engine(engine).map_batches(step, stamped):
        rejected = pc.is_valid(page["reason"])
        yield (
            recipe.keep(page.filter(pc.invert(rejected)).select(CLEANED_SCHEMA.names)),
            recipe.keep(page.filter(rejected).select(REJECTED_SCHEMA.names)),
        )


def chunk_documents(
    cleaned_documents: Iterable[pa.Table],
    chunking: ChunkingParams,
    embedding: EmbeddingParams,
    engine: EngineParams,
) -> Iterator[pa.Table]:
    """Cut documents into chunks that the embedding model can read in full."""
    embedder = embedding.embedder()
    step = partial(_chunk_step, chunking, embedder)
    recipe = Recipe.of(cleaned_documents).chunked_with(chunking, embedder.identity)
    stamped = map(recipe.stamp, cleaned_documents)
    yield from map(recipe.keep, open_engine(engine).map_batches(step, stamped))


def embed_chunks(
    chunks: Iterable[pa.Table],
    cleaned_documents: Iterable[pa.Table],
    rejected_documents: Iterable[pa.Table],
    removed_documents: Iterable[pa.Table],
    embedding: EmbeddingParams,
    lexical: LexicalParams,
    engine: EngineParams,
) -> Iterator[tuple[pa.Table, pa.Table, pa.Table, pa.Table]]:
    """Add dense and sparse vectors to chunks, page by page.

    Yields:
        Pages of (index rows of documents that are started, points, cleaned documents, index rows
        of documents that are completed), saved in this order. Whenever a run is killed, the index
        states for each document whether its points are as before, unfinished or complete. The
        next run can rely on that, even if the document, the parameters or the model have been
        changed back in the meantime.

    Raises:
        StalePages: the chunks were made from documents other than the cleaned ones.
    """
    embedder, encoder = embedding.embedder(), LexicalEncoder(lexical)
    chunked = Recipe.of(chunks)
    _require_same_cleaning(chunked, Recipe.of(cleaned_documents), Recipe.of(rejected_documents))
    recipe = chunked.embedded_with(embedder.identity, embedding.precision, encoder.identity)
    # Kedro saves every output of a page, so pages without points still need tables with the schema.
    nothing = FEATURE_INDEX_SCHEMA.empty_table()
    no_chunks = _vectors_batch(CHUNK_SCHEMA.empty_table(), embedder, encoder)
    no_points = _points(no_chunks, embedder, encoder)
    no_documents = _cleaned_points(CLEANED_SCHEMA.empty_table())
    rejected = map(recipe.stamp, rejected_documents)
    for rows in chain(removed_documents, map(_index_rejected, rejected)):
        yield nothing, no_points, no_documents, rows
    step = partial(_embed_step, embedder, encoder)
    embedded = open_engine(engine).map_batches(step, chunks)
    for found, documents in zip_longest(embedded, cleaned_documents):
        _require_same_documents(found, documents, chunked)
        cleaned = recipe.stamp(documents)
        page = _with_revisions_of(cleaned, found)
        completed = _index_embedded(cleaned, page)
        points = _points(page, embedder, encoder)
        yield _begun(completed), points, _cleaned_points(cleaned), completed


def index_collections(
    updated_feature_index: FeatureIndex, indexing: IndexingParams
) -> dict[str, int]:
    """Index large collections for faster search, if enough of their points are not indexed yet.

    Returns:
        Number of indexed vectors per collection.
    """
    return updated_feature_index.index(indexing.from_points, indexing.unindexed_share)


def _require_documents(documents: DocumentStore) -> None:
    """Fail if the store is empty, because with a wrong path the run would delete all points.

    A store with only deleted documents is not empty, and its run does delete them.
    """
    status = documents.status()
    if not any(status.counts.get(name) for name in (*KINDS, "deleted")):
        raise EmptyDocumentStore(
            f"the document store at {status.location} is empty, so nothing was changed. Crawl "
            "or import documents first, for example with `moodswarm import "
            "data/01_raw/sample/*.jsonl`, or name the right store in the catalog."
        )


def _pages(
    selected: Iterable[Selected], documents: DocumentStore, paging: PagingParams
) -> Iterator[list[tuple[Selected, Document | None]]]:
    """Group the selected documents into pages, with the text of those that will be embedded."""
    page: list[tuple[Selected, Document | None]] = []
    characters = changed = 0
    for item, document in _read(selected, documents):
        page.append((item, document))
        changed += document is not None
        characters += len(document.content) if document else 0
        full = changed >= paging.documents or characters >= paging.characters
        if full or len(page) >= ROWS_PER_PAGE:
            yield page
            page, characters, changed = [], 0, 0
    if page:
        yield page


def _read(
    selected: Iterable[Selected], documents: DocumentStore
) -> Iterator[tuple[Selected, Document | None]]:
    waiting: list[Selected] = []
    for item in selected:
        if item.status in ("new", "changed"):
            waiting.append(item)
            if len(waiting) == READ_AT_ONCE:
                yield from _with_documents(waiting, documents)
                waiting = []
        else:
            yield item, None
    yield from _with_documents(waiting, documents)


def _with_documents(
    items: list[Selected], documents: DocumentStore
) -> Iterator[tuple[Selected, Document | None]]:
    found = {document.id: document for document in documents.get_documents([i.id for i in items])}
    # A document that vanished since the scan counts as deleted in the next run.
    return ((item, found[item.id]) for item in items if item.id in found)


def _changed(page: list[tuple[Selected, Document | None]]) -> pa.Table:
    chosen = [(item, document) for item, document in page if document is not None]
    table = documents_to_table([document for _, document in chosen])
    revisions = pa.array([item.revision for item, _ in chosen], pa.string())
    return table.append_column(CHANGED_SCHEMA.field("revision"), revisions)


def _removed(page: list[tuple[Selected, Document | None]]) -> pa.Table:
    return _index_rows(
        {"id": item.id, "kind": item.kind, "revision": item.revision, "status": "deleted"}
        for item, _ in page
        if item.status == "deleted"
    )


def _counted(page: list[tuple[Selected, Document | None]]) -> pa.Table:
    counts = Counter((item.kind, item.status, item.reason) for item, _ in page)
    rows = [
        {"kind": kind, "status": status, "reason": reason, "documents": documents}
        for (kind, status, reason), documents in counts.items()
    ]
    return pa.Table.from_pylist(rows, schema=SELECTION_SCHEMA)


def _clean_step(params: CleaningParams) -> Step:
    return partial(clean_batch, params=params)


def _chunk_step(params: ChunkingParams, embedder: Embedder) -> Step:
    return partial(chunk_batch, params=params, tokenizer=embedder.tokenizer)


def _embed_step(embedder: Embedder, encoder: LexicalEncoder) -> Step:
    return partial(_vectors_batch, embedder=embedder, encoder=encoder)


def _require_same_cleaning(chunked: Recipe, *cleaned: Recipe) -> None:
    for other in cleaned:
        if (chunked.cleaning, chunked.code["cleaning"]) != (other.cleaning, other.code["cleaning"]):
            raise _stale()


def _require_same_documents(
    chunks: pa.Table | None, cleaned: pa.Table | None, chunked: Recipe
) -> None:
    """Refuse chunks from other documents, or from other versions of the same documents."""
    if chunks is None or cleaned is None:
        raise _stale()
    ids, texts = cleaned["id"].to_pylist(), cleaned["text"].to_pylist()
    expected = set(zip(ids, chunked.revisions(cleaned), strict=True))
    found = set(zip(chunks["document_id"].to_pylist(), chunks["revision"].to_pylist(), strict=True))
    without = {id_ for id_, _ in expected - found}
    visible = any(visible_characters(t) for i, t in zip(ids, texts, strict=True) if i in without)
    if visible or not found <= expected:
        raise _stale()


def _stale() -> StalePages:
    return StalePages(
        "the chunks that an earlier run left were made from other cleaned documents than those "
        "that are there now. Run the pipeline from that step: "
        "kedro run --pipeline=feature --from-nodes=chunk_documents"
    )


def _with_revisions_of(cleaned: pa.Table, chunks: pa.Table) -> pa.Table:
    revisions = dict(zip(cleaned["id"].to_pylist(), cleaned["revision"].to_pylist(), strict=True))
    return with_revisions(chunks, [revisions[id_] for id_ in chunks["document_id"].to_pylist()])


def _vectors_batch(table: pa.Table, embedder: Embedder, encoder: LexicalEncoder) -> pa.Table:
    return lexical_batch(embed_batch(table, embedder), encoder)


def _index_rejected(rejected: pa.Table) -> pa.Table:
    rows = rejected.select(["id", "kind", "revision", "reason"]).to_pylist()
    return _index_rows({**row, "status": "rejected"} for row in rows)


def _index_embedded(cleaned: pa.Table, points: pa.Table) -> pa.Table:
    chunks = Counter(points["document_id"].to_pylist())
    rows = cleaned.select(["id", "kind", "revision"]).to_pylist()
    return _index_rows({**row, "status": "embedded", "chunks": chunks[row["id"]]} for row in rows)


def _begun(completed: pa.Table) -> pa.Table:
    """Mark the completed documents as unfinished, by an empty revision, which never matches."""
    rows = completed.select(["id", "kind"]).to_pylist()
    return _index_rows({**row, "revision": "", "status": "started"} for row in rows)


def _index_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    complete = [{"reason": None, "chunks": 0, **row} for row in rows]
    return pa.Table.from_pylist(complete, schema=FEATURE_INDEX_SCHEMA)


def _points(embedded: pa.Table, embedder: Embedder, encoder: LexicalEncoder) -> pa.Table:
    """Turn chunks into points by adding the identities of the models behind their vectors."""
    for name, identity in (("model", embedder.identity), ("lexical_model", encoder.identity)):
        column = pa.array([identity[:16]] * len(embedded), pa.string())
        embedded = embedded.append_column(name, column)
    return embedded


def _cleaned_points(cleaned: pa.Table) -> pa.Table:
    """Turn cleaned documents into points, with the column `document_id` that chunks have."""
    return cleaned.append_column("document_id", cleaned["id"])
