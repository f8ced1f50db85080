"""Qdrant collections and the feature index as Kedro datasets."""

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from moodswarm.datasets.store_dataset import StoreDataset
from moodswarm.datasets.table_preview import TablePreview, table_preview
from moodswarm.records import FEATURE_INDEX_SCHEMA, KINDS
from moodswarm.records.collections import FEATURE_INDEX, collection_name, feature_collections
from moodswarm.stores.errors import VectorSizeMismatch
from moodswarm.stores.vectors.opening import open_vector_store
from moodswarm.stores.vectors.protocol import CollectionStatus, VectorStore

logger = logging.getLogger(__name__)

# Fields to index: those that searches filter by, and the one that finds the chunks of a document.
# Each costs memory for every point. Cleaned documents and index rows are found by their own id.
KEYWORD_FIELDS = {"embedded": ("document_id", "author_id"), "cleaned": ()}
TIME_FIELDS = {"embedded": ("published_at",), "cleaned": ()}


class _VectorStoreDataset(StoreDataset[VectorStore]):
    """A dataset backed by the vector store, which all datasets in a process share."""

    def _open(self) -> VectorStore:
        return open_vector_store(self._config, self._credentials)

    def _preview(self, names: Sequence[str], nrows: int, columns: Sequence[str]) -> TablePreview:
        """Show the first points of each collection, then release the store for other processes."""
        try:
            rows = [
                point
                for name in names
                for page in islice(self.store.scroll(name, page_points=nrows), 1)
                for point in page
            ]
        finally:
            self.release()
        return table_preview(rows, columns)


class CollectionsDataset(_VectorStoreDataset):
    """Points of one layer, in one Qdrant collection per kind: `cleaned_articles`, and so on.

    Saving a batch upserts each row into the collection for its `kind`. Loading returns the store.

    ```yaml
    embedded_chunks:
      type: moodswarm.datasets.vectors.CollectionsDataset
      layer: embedded
      store: {backend: edge, path: data/04_feature/qdrant}
    ```

    ```yaml
    embedded_chunks:  # conf/server
      type: moodswarm.datasets.vectors.CollectionsDataset
      layer: embedded
      store: {backend: server}
      credentials: qdrant
    ```

    ```python
    >>> import tempfile, pyarrow as pa
    >>> store = {"backend": "edge", "path": tempfile.mkdtemp()}
    >>> dataset = CollectionsDataset(layer="cleaned", store=store)
    >>> key = "9312f13e-00a5-5988-af2e-f1e2c3917002"
    >>> dataset.save(pa.table({"id": [key], "kind": ["post"], "text": ["Hello"]}))
    >>> dataset.load().count("cleaned_posts")
    1
    >>> dataset.release()

    ```
    """

    def __init__(
        self,
        *,
        layer: str,
        store: dict[str, Any],
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(store=store, credentials=credentials, metadata=metadata)
        self._layer = layer

    def save(self, data: pa.Table) -> None:
        """Upsert a batch with the columns `id` and `kind`, optional vectors, and the payload.

        The vectors are in the columns `vector` and `lexical`, see `VectorStore.upsert_points`.
        """
        dimensions = (
            data.schema.field("vector").type.list_size if "vector" in data.schema.names else None
        )
        for kind in KINDS:
            rows = data.filter(pc.equal(data["kind"], kind))
            if len(rows):
                name = collection_name(self._layer, kind)
                self.store.ensure_collection(
                    name,
                    dimensions,
                    KEYWORD_FIELDS[self._layer],
                    lexical="lexical" in data.schema.names,
                    time_fields=TIME_FIELDS[self._layer],
                )
                self.store.upsert_points(name, rows)

    def load(self) -> VectorStore:
        """Return the store."""
        return self.store

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first points of each kind in kedro-viz, without vectors."""
        names = [collection_name(self._layer, kind) for kind in KINDS]
        columns = ("kind", "title", "position", "token_count", "text", "link", "id")
        return self._preview(names, nrows, columns)

    def _exists(self) -> bool:
        return any(self.store.count(collection_name(self._layer, kind)) for kind in KINDS)

    def _describe(self) -> dict[str, Any]:
        return {"layer": self._layer, **super()._describe()}


class FeatureIndex:
    """Tells which documents have complete features, and for which revision."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def __repr__(self) -> str:
        """Return the store behind it, as a notebook shows it."""
        return f"<FeatureIndex in {self._store!r}>"

    def rows(self) -> Iterator[dict[str, Any]]:
        """Stream rows of `FEATURE_INDEX_SCHEMA` as mappings, ordered by id."""
        for page in self._store.scroll(FEATURE_INDEX):
            yield from page

    def emptied_kinds(self) -> set[str]:
        """Return the kinds that the index lists although their points are gone, to rebuild them."""
        listed = {row["kind"] for row in self.rows() if row["status"] == "embedded"}
        return {
            kind
            for kind in listed
            for layer in ("cleaned", "embedded")
            if not self._store.count(collection_name(layer, kind))
        }

    def points(self) -> dict[str, int]:
        """Count the points of every `cleaned_*` and `embedded_*` collection."""
        return {name: self._store.count(name) for name in feature_collections()}

    def index(self, from_points: int, unindexed_share: float) -> dict[str, int]:
        """Index each embedded collection that is large and has too many unindexed vectors.

        Args:
            from_points: Smaller collections are left alone, since a scan is faster there.
            unindexed_share: Nothing is done if at most this share of the vectors is unindexed; a
                search scans such vectors in addition to using the index.

        Returns:
            The number of indexed vectors in each embedded collection; a server builds its indexes
            by itself.
        """
        for status in self._embedded():
            unindexed = status.points - status.indexed_vectors
            if status.points >= from_points and unindexed > unindexed_share * status.points:
                logger.info(
                    "indexing %s of the %s vectors of %s; 100,000 take about a minute",
                    f"{unindexed:,}",
                    f"{status.points:,}",
                    status.name,
                )
                self._store.optimize(status.name)
        return {status.name: status.indexed_vectors for status in self._embedded()}

    def _embedded(self) -> list[CollectionStatus]:
        return [s for s in self._store.collections() if s.name.startswith("embedded_")]

    def require_dimensions(self, dimensions: int, model: str) -> None:
        """Check that existing collections can take the model's vectors.

        Raises:
            VectorSizeMismatch: a collection cannot; the message names it, both sizes and the
                remedy.
        """
        for status in self._embedded():
            if status.dimensions != dimensions:
                raise VectorSizeMismatch(
                    f"collection {status.name} holds vectors of size {status.dimensions}, but "
                    f"model {model} makes {dimensions}. Either set `embedding.model` back, or "
                    f"delete it with `moodswarm collections --delete {status.name}`: the next "
                    "run then embeds its documents again"
                )


class FeatureIndexDataset(_VectorStoreDataset):
    """The rows that say which documents have complete features.

    They are stored beside the points that they describe, so that both are lost or kept together.
    Rows with status `started` are written immediately, before the points of their documents. Any
    other row completes its document: first the points of its other revisions are deleted, then
    everything is flushed, and only then is the row written. If a run is killed in between, the next
    run processes that document again.

    ```yaml
    feature_index:
      type: moodswarm.datasets.vectors.FeatureIndexDataset
      store: {backend: edge, path: data/04_feature/qdrant}
    ```

    ```python
    >>> import tempfile
    >>> from moodswarm.records import FEATURE_INDEX_SCHEMA
    >>> dataset = FeatureIndexDataset(store={"backend": "edge", "path": tempfile.mkdtemp()})
    >>> row = {"id": "9312f13e-00a5-5988-af2e-f1e2c3917002", "kind": "post", "revision": "r1",
    ...        "status": "embedded", "reason": None, "chunks": 1}
    >>> dataset.save(pa.Table.from_pylist([row], schema=FEATURE_INDEX_SCHEMA))
    >>> [row["revision"] for row in dataset.load().rows()]
    ['r1']
    >>> dataset.release()

    ```
    """

    def save(self, data: pa.Table) -> None:
        """Mark documents as started, or complete them, as the class docstring describes."""
        if not len(data):
            return
        started = set(data["status"].to_pylist()) == {"started"}
        if not started:
            self._sweep(data)
            self.store.flush()
        self.store.ensure_collection(FEATURE_INDEX, None)
        deleted = pc.equal(data["status"], "deleted")
        rows = data.filter(pc.invert(deleted))
        if len(rows):
            self.store.upsert_points(FEATURE_INDEX, rows)
        if len(rows) < len(data):
            gone = data.filter(deleted)["id"].to_pylist()
            self.store.delete_points(FEATURE_INDEX, {"id": gone})
        self.store.flush()

    def _sweep(self, data: pa.Table) -> None:
        """Delete all points of deleted documents, and outdated points of the other documents."""
        is_deleted = pc.equal(data["status"], "deleted")
        deleted = data.filter(is_deleted)["id"].to_pylist()
        kept = data.filter(pc.invert(is_deleted))
        current = {"revision": kept["revision"].to_pylist()}
        for name in feature_collections():
            key = "document_id" if name.startswith("embedded_") else "id"
            if deleted:
                self.store.delete_points(name, {key: deleted})
            if len(kept):
                self.store.delete_points(name, {key: kept["id"].to_pylist()}, current)

    def load(self) -> FeatureIndex:
        """Return the index, which is read row by row."""
        return FeatureIndex(self.store)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first rows in kedro-viz."""
        return self._preview([FEATURE_INDEX], nrows, FEATURE_INDEX_SCHEMA.names)

    def _exists(self) -> bool:
        return self.store.count(FEATURE_INDEX) > 0
