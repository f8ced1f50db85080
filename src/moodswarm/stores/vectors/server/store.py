"""The vector store on a Qdrant server, through qdrant-client."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from moodswarm.records.sparse import SparseVector
from moodswarm.stores.errors import StoreError
from moodswarm.stores.status import StoreStatus
from moodswarm.stores.vectors.points import (
    batches,
    both_vectors,
    check_name,
    missing_collection,
    page_row,
    payloads,
    point_ids,
    point_vectors,
    size_mismatch,
)
from moodswarm.stores.vectors.protocol import CollectionStatus, Hit, Match, check_match
from moodswarm.stores.vectors.search_policy import (
    filter_needs_scan,
    nearest,
    payload_of,
    query_vector,
)
from moodswarm.stores.vectors.server.connection import ask, connect, shown
from moodswarm.stores.vectors.server.requests import (
    filter_of,
    has_lexical,
    having_lexical,
    live_frequencies,
    sparse_vector,
    vector_size,
)
from moodswarm.stores.vectors.sparse_points import LEXICAL, check_query, lexical_vectors

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

_Answer = TypeVar("_Answer")

#: Points per request: 2 MB of JSON at 384 dimensions. At 3,072 dimensions, a request stays below
#: the server's limit of 32 MB.
_REQUEST_POINTS = 250

logger = logging.getLogger(__name__)


class ServerVectorStore:
    """Collections on a Qdrant server; implements `VectorStore`.

    No connection is made before the first call. A write returns once the server has it in its
    write-ahead log, so `flush` has nothing to do. The server builds its indexes by itself.

    Args:
        url: Address of the server, such as `http://localhost:6333`.
        api_key: Key of the server, if it needs one; never part of a message.
        prefix: Text put before the name of every collection, so that several stores can share a
            server.
        timeout: Seconds that one request may take.
        client: Client to use instead of connecting; tests pass `QdrantClient(":memory:")`.

    Raises:
        StoreUnavailable: the address is invalid. Later, any call raises this error if the server
            cannot be reached or refuses the key.
        StoreError: qdrant-client is not installed. Later, any call raises this error if the
            server refuses the request.
    """

    def __init__(
        self,
        url: str = "http://localhost:6333",
        *,
        api_key: str | None = None,
        prefix: str = "",
        timeout: float = 60.0,
        client: "QdrantClient | None" = None,
    ) -> None:
        if prefix:
            check_name(prefix)
        self._prefix = prefix
        self._client = client or connect(url, api_key, timeout)
        self._location = shown(url) if client is None else "the given client"
        self._closed = False

    def open(self) -> None:
        """Do nothing: a server serves many processes at the same time."""

    def ensure_collection(
        self,
        name: str,
        dimensions: int | None,
        keyword_fields: Sequence[str] = (),
        *,
        lexical: bool = False,
        time_fields: Sequence[str] = (),
    ) -> None:
        """Create the collection unless it exists."""
        from qdrant_client import models

        if self._look(name) is None:
            self._create(name, dimensions, lexical)
        found = self._need(name)
        if vector_size(found) != dimensions:
            raise size_mismatch(name, found=dimensions, expected=vector_size(found))
        if lexical and not has_lexical(found):
            self._add_lexical(name)
        for fields, kind in (
            (keyword_fields, models.PayloadSchemaType.KEYWORD),
            (time_fields, models.PayloadSchemaType.DATETIME),
        ):
            for field in set(fields) - found.payload_schema.keys():
                self._ask(self._client.create_payload_index, self._full(name), field, kind)

    def _create(self, name: str, dimensions: int | None, lexical: bool) -> None:
        from qdrant_client import models

        vectors: Any = {}
        if dimensions is not None:
            vectors = models.VectorParams(size=dimensions, distance=models.Distance.COSINE)
        sparse = {LEXICAL: models.SparseVectorParams(modifier=models.Modifier.IDF)}
        self._ask(
            self._client.create_collection,
            self._full(name),
            vectors_config=vectors,
            sparse_vectors_config=sparse if lexical else None,
        )

    def _add_lexical(self, name: str) -> None:
        from qdrant_client import models

        wanted = models.SparseVectorNameConfig(
            sparse=models.SparseVectorConfig(modifier=models.Modifier.IDF)
        )
        self._ask(self._client.create_vector_name, self._full(name), LEXICAL, wanted)
        logger.info(
            "collection %s, made by an earlier version, can hold sparse vectors now; each of its "
            "points gets one when it is written again",
            name,
        )

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its points; do nothing if it does not exist."""
        if self._look(name):
            self._ask(self._client.delete_collection, self._full(name))

    def upsert_points(self, name: str, points: pa.Table) -> None:
        """Write points, replacing those with the same id; all are durable when this returns."""
        from qdrant_client import models

        found = self._need(name)
        size, lexical = vector_size(found), has_lexical(found)
        point_vectors(name, size, points.slice(0, 0))
        lexical_vectors(name, lexical, points.slice(0, 0))
        for batch in batches(points, _REQUEST_POINTS):
            vectors = both_vectors(name, size, lexical, batch, sparse_vector)
            rows = zip(point_ids(batch), vectors, payloads(batch), strict=True)
            structs = [models.PointStruct(id=i, vector=v, payload=p) for i, v, p in rows]
            self._ask(self._client.upsert, self._full(name), structs, wait=True)

    def delete_points(self, name: str, match: Match, unless: Match | None = None) -> None:
        """Delete the points that meet `match` but not `unless`."""
        from qdrant_client import models

        chosen = models.FilterSelector(filter=filter_of(check_match(match), check_match(unless)))
        if self._look(name):
            self._ask(self._client.delete, self._full(name), chosen, wait=True)

    def search(
        self,
        name: str,
        vector: npt.NDArray[np.float32],
        k: int,
        match: Match | None = None,
        exact: bool | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        """Return the k nearest points, best first; no points if there is no such collection."""
        from qdrant_client import models

        match = check_match(match)
        if (found := self._look(name)) is None:
            return []
        options = {
            "query": query_vector(name, vector_size(found), vector),
            "query_filter": filter_of(match),
            "with_payload": payload_of(fields),
        }
        if exact is None:
            meeting = self._count(name, match, exact=False) if match else 0
            exact = bool(match) and filter_needs_scan(meeting, found.points_count or 0)
        options["search_params"] = models.SearchParams(exact=exact)
        return self._nearest(name, k, options)

    def search_lexical(
        self,
        name: str,
        query: SparseVector,
        k: int,
        match: Match | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        """Return the k points with the highest lexical score, best first, ties ordered by id."""
        from qdrant_client import models

        match = check_match(match)
        check_query(name, query)
        found = self._look(name)
        if found is None or not (query.indices and has_lexical(found)):
            return []
        terms = models.SparseVector(indices=list(query.indices), values=list(query.values))
        options = {
            "query": terms,
            "using": LEXICAL,
            "query_filter": filter_of(match),
            "with_payload": payload_of(fields),
            "search_params": live_frequencies(),
        }
        return self._nearest(name, k, options)

    def _nearest(self, name: str, k: int, options: Mapping[str, Any]) -> list[Hit]:
        def request(limit: int) -> list[Hit]:
            query = self._client.query_points
            answer = self._ask(query, self._full(name), limit=limit, **options)
            return [Hit(str(p.id), p.score, name, p.payload or {}) for p in answer.points]

        return nearest(k, request)

    def scroll(
        self,
        name: str,
        *,
        fields: Sequence[str] | None = None,
        match: Match | None = None,
        with_vectors: bool = False,
        page_points: int = 1_000,
    ) -> Iterator[list[dict[str, Any]]]:
        """Stream points ordered by id, one list per page; `vector` is float32 [dim] with norm 1."""
        options: Mapping[str, Any] = {
            "scroll_filter": filter_of(check_match(match)),
            "limit": page_points,
            "with_payload": payload_of(fields),
            "with_vectors": with_vectors,
        }
        if self._look(name) is None:
            return
        start: Any = None
        while True:
            scroll = self._client.scroll
            records, start = self._ask(scroll, self._full(name), offset=start, **options)
            if records:
                yield [page_row(r.id, r.payload, r.vector) for r in records]
            if start is None:
                return

    def count(self, name: str, match: Match | None = None) -> int:
        """Return the exact number of points; 0 if the collection does not exist."""
        match = check_match(match)
        return self._count(name, match, exact=True) if self._look(name) else 0

    def collections(self) -> list[CollectionStatus]:
        """Return every collection under the prefix, ordered by name."""
        found = self._ask(self._client.get_collections).collections
        names = [c.name.removeprefix(self._prefix) for c in found if self._is_ours(c.name)]
        return [self._status(name) for name in sorted(names)]

    def optimize(self, name: str) -> None:
        """Do nothing: the server builds its indexes by itself."""

    def flush(self) -> None:
        """Do nothing: the server has already acknowledged every write."""

    def status(self) -> StoreStatus:
        """Connect to the server and count the points of every collection."""
        version = self._ask(self._client.info).version
        counts = {collection.name: collection.points for collection in self.collections()}
        return StoreStatus("qdrant-server", version, self._location, counts)

    def __repr__(self) -> str:
        """Return the location and the counts, or the error if they cannot be read."""
        try:
            return f"<{type(self).__name__}: {self.status()}>"
        except StoreError as error:
            return f"<{type(self).__name__} at {self._location}: {error}>"

    def close(self) -> None:
        """Release the connections; closing twice is allowed."""
        self._closed = True
        self._client.close()

    def _ask(self, call: Callable[..., _Answer], *arguments: Any, **options: Any) -> _Answer:
        if self._closed:
            raise StoreError(f"the store at {self._location} is closed; open it again")
        return ask(self._location, call, *arguments, **options)

    def _full(self, name: str) -> str:
        check_name(name)
        return self._prefix + name

    def _is_ours(self, full: str) -> bool:
        return full.startswith(self._prefix) and full != self._prefix

    def _look(self, name: str) -> "models.CollectionInfo | None":
        """Return the server's description of a collection, or None if it does not exist.

        Nothing is cached, since other processes may create or delete the collection.
        """
        if not self._ask(self._client.collection_exists, self._full(name)):
            return None
        return self._ask(self._client.get_collection, self._full(name))

    def _need(self, name: str) -> "models.CollectionInfo":
        if (found := self._look(name)) is None:
            raise missing_collection(name, self._location)
        return found

    def _count(self, name: str, match: Match, *, exact: bool) -> int:
        where = filter_of(match)
        count = self._client.count
        return self._ask(count, self._full(name), count_filter=where, exact=exact).count

    def _status(self, name: str) -> CollectionStatus:
        found = self._need(name)
        points = self._count(name, {}, exact=True)
        indexed = found.indexed_vectors_count or 0
        if has_lexical(found):
            # This number includes sparse vectors as well, which are always in an index.
            count = self._client.count
            indexed -= self._ask(count, self._full(name), count_filter=having_lexical()).count
        return CollectionStatus(name, points, vector_size(found), min(max(indexed, 0), points))
