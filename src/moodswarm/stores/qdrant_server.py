"""The vector store on a Qdrant server, through qdrant-client."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from moodswarm.stores.documents import StoreStatus
from moodswarm.stores.errors import StoreError
from moodswarm.stores.points import (
    batches,
    check_match,
    check_name,
    filter_needs_scan,
    missing_collection,
    nearest,
    page_row,
    payloads,
    point_ids,
    point_vectors,
    query_vector,
    size_mismatch,
    uuids_among,
)
from moodswarm.stores.server_requests import ask, connect, shown
from moodswarm.stores.vectors import CollectionStatus, Hit, Match

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

_Answer = TypeVar("_Answer")

#: Points of a request: 2 MB of JSON at 384 dimensions, and at 3,072 below the server's 32 MB.
_REQUEST_POINTS = 250


class ServerVectorStore:
    """Collections on a Qdrant server; implements `VectorStore`.

    Nothing is connected before the first call. A write returns when the server has it in its
    write-ahead log, so `flush` has nothing left to do; the server builds its indexes by itself.

    Args:
        url: Address of the server, such as `http://localhost:6333`.
        api_key: Key of the server, where it has one; never part of a message.
        prefix: Put before the name of every collection, so that stores can share a server.
        timeout: Seconds for one request.
        client: Used instead of connecting; tests give `QdrantClient(":memory:")`.

    Raises:
        StoreUnavailable: the address is not valid, or, at any call, the server cannot be reached
            or refuses the key.
        StoreError: qdrant-client is not installed, or the server refuses a request.
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

    def ensure_collection(
        self, name: str, dimensions: int | None, keyword_fields: Sequence[str] = ()
    ) -> None:
        """Create the collection unless it exists."""
        from qdrant_client import models

        if self._look(name) is None:
            vectors: Any = {}
            if dimensions is not None:
                vectors = models.VectorParams(size=dimensions, distance=models.Distance.COSINE)
            self._ask(self._client.create_collection, self._full(name), vectors_config=vectors)
        found = self._need(name)
        if _size(found) != dimensions:
            raise size_mismatch(name, found=dimensions, expected=_size(found))
        for field in keyword_fields:
            if field not in found.payload_schema:
                kind = models.PayloadSchemaType.KEYWORD
                self._ask(self._client.create_payload_index, self._full(name), field, kind)

    def delete_collection(self, name: str) -> None:
        """Delete a collection with all its points; one that does not exist is fine."""
        if self._look(name):
            self._ask(self._client.delete_collection, self._full(name))

    def upsert_points(self, name: str, points: pa.Table) -> None:
        """Write points; a point of the same id is replaced. Durable when this returns."""
        from qdrant_client import models

        size = _size(self._need(name))
        point_vectors(name, size, points.slice(0, 0))
        for batch in batches(points, _REQUEST_POINTS):
            vectors: list[Any] = point_vectors(name, size, batch).tolist()
            if size is None:
                vectors = [{}] * batch.num_rows
            rows = zip(point_ids(batch), vectors, payloads(batch), strict=True)
            structs = [models.PointStruct(id=i, vector=v, payload=p) for i, v, p in rows]
            self._ask(self._client.upsert, self._full(name), structs, wait=True)

    def delete_points(self, name: str, match: Match, unless: Match | None = None) -> None:
        """Delete the points that meet `match` and do not meet `unless`."""
        from qdrant_client import models

        chosen = models.FilterSelector(filter=_filter(check_match(match), check_match(unless)))
        if self._look(name):
            self._ask(self._client.delete, self._full(name), chosen, wait=True)

    def search(
        self,
        name: str,
        vector: npt.NDArray[np.float32],
        k: int,
        match: Match | None = None,
        exact: bool | None = None,
    ) -> list[Hit]:
        """Return the k nearest points, best first, ties by id; none without the collection."""
        from qdrant_client import models

        match = check_match(match)
        if (found := self._look(name)) is None:
            return []
        options = {
            "query": query_vector(name, _size(found), vector),
            "query_filter": _filter(match),
            "with_payload": True,
        }
        if exact is None:
            meeting = self._count(name, match, exact=False) if match else 0
            exact = bool(match) and filter_needs_scan(meeting, found.points_count or 0)
        options["search_params"] = models.SearchParams(exact=exact)

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
        """Stream points ordered by id, a list per page; `vector` is float32 [dim], unit norm."""
        options: Mapping[str, Any] = {
            "scroll_filter": _filter(check_match(match)),
            "limit": page_points,
            "with_payload": True if fields is None else list(fields) or False,
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
        """Count points exactly; 0 where the collection does not exist."""
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
        """Do nothing: the server has acknowledged every write."""

    def status(self) -> StoreStatus:
        """Reach the server and count the points of every collection."""
        version = self._ask(self._client.info).version
        counts = {collection.name: collection.points for collection in self.collections()}
        return StoreStatus("qdrant-server", version, self._location, counts)

    def close(self) -> None:
        """Release connections; closing twice is fine."""
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
        """Describe a collection; asked every time, as other processes may create or remove it."""
        if not self._ask(self._client.collection_exists, self._full(name)):
            return None
        return self._ask(self._client.get_collection, self._full(name))

    def _need(self, name: str) -> "models.CollectionInfo":
        if (found := self._look(name)) is None:
            raise missing_collection(name, self._location)
        return found

    def _count(self, name: str, match: Match, *, exact: bool) -> int:
        where = _filter(match)
        count = self._client.count
        return self._ask(count, self._full(name), count_filter=where, exact=exact).count

    def _status(self, name: str) -> CollectionStatus:
        found = self._need(name)
        points = self._count(name, {}, exact=True)
        return CollectionStatus(name, points, _size(found), found.indexed_vectors_count or 0)


def _size(found: "models.CollectionInfo") -> int | None:
    """Return the vector size of a collection; None for payloads only."""
    vectors = found.config.params.vectors
    if not vectors:
        return None
    if isinstance(vectors, dict):
        raise StoreError(
            f"a collection has the named vectors {sorted(vectors)}, expected one without a name; "
            "it is another program's: set a `prefix` for this store"
        )
    return vectors.size


def _filter(match: Match, unless: Match | None = None) -> "models.Filter":
    from qdrant_client import models

    exception: list[Any] = [models.Filter(must=_conditions(unless))] if unless else []
    return models.Filter(must=_conditions(match), must_not=exception)


def _conditions(match: Match) -> list[Any]:
    """Meet every field; `id` is the point's own."""
    from qdrant_client import models

    return [
        models.HasIdCondition(has_id=list(uuids_among(list(values))))
        if field == "id"
        else models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))
        for field, values in match.items()
    ]
