"""One collection of an embedded store: a Qdrant Edge shard, and the calls to it."""

import logging
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import qdrant_edge as qe

from moodswarm.records.sparse import SparseVector
from moodswarm.stores.vectors.edge.files import (
    Marker,
    bytes_on_disk,
    corrupt,
    engine_errors,
    file_sizes,
    read_marker,
    require_files,
    require_space,
    sync_folder,
    write_marker,
)
from moodswarm.stores.vectors.edge.requests import (
    add_lexical,
    filter_of,
    frequencies,
    having_lexical,
    index_fields,
    scan,
    shard_config,
    walk,
)
from moodswarm.stores.vectors.points import (
    batches,
    both_vectors,
    page_row,
    payloads,
    point_ids,
    point_vectors,
    size_mismatch,
)
from moodswarm.stores.vectors.protocol import CollectionStatus, Hit, Match
from moodswarm.stores.vectors.search_policy import (
    filter_needs_scan,
    nearest,
    payload_of,
    query_vector,
)
from moodswarm.stores.vectors.sparse_points import LEXICAL, check_query, lexical_vectors

#: Points per update: about 3 MB of vectors and payloads at 384 dimensions.
_UPDATE_POINTS = 1_000
# Number of scores that are compared to tell whether the engine's word counts are up to date.
_TOLD_BY = 20

logger = logging.getLogger(__name__)


class EdgeCollection:
    """An open shard. Several threads may read at the same time; writes take turns.

    Args:
        folder: The shard's folder, which contains its marker.
        index_from: Number of points from which `optimize` builds an HNSW graph.

    Raises:
        StoreCorrupt: files are unreadable, or points that had been flushed are missing.
    """

    def __init__(self, folder: Path, index_from: int) -> None:
        self.name = folder.name
        self._folder = folder
        self._writing = threading.RLock()
        self._marker = read_marker(folder)
        # This comes before the load, which replaces some missing files with new ones.
        require_files(folder, self._marker)
        with engine_errors(folder):
            config = shard_config(self._marker.dimensions, self._marker.lexical, index_from)
            self._shard = qe.EdgeShard.load(str(folder), config)
            found = self._shard.info().points_count
        if self._marker.points not in (None, found):
            self._shard.close()
            raise corrupt(folder, f"{self._marker.points} points were flushed, {found} are left")
        self._recount = self._counts_deleted_points()

    @classmethod
    def create(cls, folder: Path, wanted: Marker, index_from: int) -> "EdgeCollection":
        """Create a collection, first under another name: a crash leaves all of it or nothing."""
        draft = folder.with_name(f".new-{folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        require_space(draft, 0)
        with engine_errors(folder):
            config = shard_config(wanted.dimensions, wanted.lexical, index_from)
            shard = qe.EdgeShard.create(str(draft), config)
            index_fields(shard, wanted)
            shard.flush()
            shard.close()
        write_marker(draft, replace(wanted, points=0))
        draft.replace(folder)
        sync_folder(folder.parent)
        created = cls(folder, index_from)
        created._recount = False
        return created

    def ensure(self, wanted: Marker) -> None:
        """Check the vector size, then add sparse vectors and field indexes if they are missing."""
        with self._writing:
            known = self._marker
            if wanted.dimensions != known.dimensions:
                raise size_mismatch(self.name, found=wanted.dimensions, expected=known.dimensions)
            if wanted.lexical and not known.lexical:
                self._add_lexical()
            missing = known.lacking(wanted)
            if missing.keyword_fields or missing.time_fields:
                with self._changing():
                    index_fields(self._shard, missing)
                    self._mark(self._marker.with_fields(missing))

    def _add_lexical(self) -> None:
        """Let points have sparse vectors.

        If the process is killed before the new marker is written, the next call does this again.
        """
        with self._changing():
            add_lexical(self._shard)
            # Flush first: a marker that promises more than the files hold makes loading fail.
            self._shard.flush()
            self._mark(replace(self._marker, lexical=True))
        logger.info(
            "collection %s, made by an earlier version, can hold sparse vectors now; each of its "
            "points gets one when it is written again",
            self.name,
        )

    def upsert(self, points: pa.Table) -> None:
        """Write points in slices, so that memory holds only one slice at a time."""
        nothing = points.slice(0, 0)
        point_vectors(self.name, self._marker.dimensions, nothing)
        lexical_vectors(self.name, self._marker.lexical, nothing)
        for batch in batches(points, _UPDATE_POINTS):
            rows = self._points(batch)
            require_space(self._folder, 2 * batch.nbytes)
            with self._changing():
                before = self._points_held()
                self._shard.update(qe.UpdateOperation.upsert_points(rows))
                self._recount |= self._points_held() - before < len(rows)

    def _points(self, batch: pa.Table) -> list[qe.Point]:
        marker = self._marker
        vectors = both_vectors(self.name, marker.dimensions, marker.lexical, batch, qe.SparseVector)
        rows = zip(point_ids(batch), vectors, payloads(batch), strict=True)
        return [qe.Point(id_, vector, payload) for id_, vector, payload in rows]

    def delete(self, match: Match, unless: Match) -> None:
        """Delete the points that meet `match`, except those that meet a non-empty `unless`."""
        with self._changing():
            before = self._points_held()
            self._shard.update(qe.UpdateOperation.delete_points_by_filter(filter_of(match, unless)))
            self._recount |= self._points_held() < before

    def search(
        self,
        vector: npt.NDArray[np.float32],
        k: int,
        match: Match,
        exact: bool | None,
        fields: Sequence[str] | None,
    ) -> list[Hit]:
        """Return the k nearest points, best first, ties ordered by id."""
        query = qe.Query.Nearest(query_vector(self.name, self._marker.dimensions, vector))
        if exact is None:
            exact = bool(match) and filter_needs_scan(
                self.count(match, exact=False), self.count({}, exact=False)
            )
        return self._nearest(query, k, match, scan() if exact else walk(), fields)

    def search_lexical(
        self, query: SparseVector, k: int, match: Match, fields: Sequence[str] | None
    ) -> list[Hit]:
        """Return the k points with the highest lexical score, best first, ties ordered by id."""
        check_query(self.name, query)
        if not (query.indices and self._marker.lexical):
            return []
        terms = qe.SparseVector(list(query.indices), list(query.values))
        request = qe.Query.Nearest(terms, LEXICAL)
        return self._nearest(request, k, match, frequencies(live=self._recount), fields)

    def _nearest(
        self,
        query: qe.Query,
        k: int,
        match: Match,
        params: qe.SearchParams,
        fields: Sequence[str] | None,
    ) -> list[Hit]:
        where, payload = filter_of(match), payload_of(fields)

        def ask(limit: int) -> list[Hit]:
            request = qe.QueryRequest(
                limit=limit, query=query, with_payload=payload, filter=where, params=params
            )
            with engine_errors(self._folder):
                found = self._shard.query(request)
            return [Hit(str(p.id), p.score, self.name, p.payload or {}) for p in found]

        return nearest(k, ask)

    def scroll(
        self, fields: Sequence[str] | None, match: Match, with_vectors: bool, page_points: int
    ) -> Iterator[list[dict[str, Any]]]:
        """Stream points ordered by id; nothing but the next id is kept between pages."""
        where = filter_of(match)
        payload = payload_of(fields)
        start = None
        while True:
            request = qe.ScrollRequest(start, page_points, where, payload, with_vectors)
            with engine_errors(self._folder):
                records, start = self._shard.scroll(request)
            if records:
                yield [page_row(r.id, r.payload, r.vector) for r in records]
            if start is None:
                return

    def count(self, match: Match, *, exact: bool = True) -> int:
        """Return the number of points, exact or estimated from the payload index."""
        with engine_errors(self._folder):
            return int(self._shard.count(qe.CountRequest(exact=exact, filter=filter_of(match))))

    def status(self) -> CollectionStatus:
        """Return the numbers that `moodswarm collections` shows."""
        with engine_errors(self._folder):
            indexed = self._shard.info().indexed_vectors_count
            if self._marker.lexical:
                # This number includes sparse vectors as well, which are always in an index.
                counted = qe.CountRequest(exact=True, filter=having_lexical())
                indexed -= int(self._shard.count(counted))
        points = self.count({})
        indexed = min(max(indexed, 0), points)
        return CollectionStatus(self.name, points, self._marker.dimensions, indexed)

    def optimize(self) -> None:
        """Merge segments, drop deleted points, and build the HNSW graph of a large collection."""
        with self._writing:
            self.flush()
            require_space(self._folder, 2 * bytes_on_disk(self._folder))
            with self._changing():
                self._shard.optimize()
            self.flush()
            self._recount = self._counts_deleted_points()

    def flush(self) -> None:
        """Write everything to disk, then record the number of points in the marker."""
        with self._writing, engine_errors(self._folder):
            if self._marker.points is None:
                self._shard.flush()
                points = self._shard.info().points_count
                self._mark(replace(self._marker, points=points, files=file_sizes(self._folder)))

    def close(self) -> None:
        """Flush and release the files."""
        with self._writing:
            try:
                self.flush()
            finally:
                self._shard.close()

    def abandon(self) -> None:
        """Release the files without flushing, since they are about to be removed."""
        with self._writing, engine_errors(self._folder):
            self._shard.close()

    def _points_held(self) -> int:
        return int(self._shard.info().points_count)

    def _counts_deleted_points(self) -> bool:
        """Return whether the engine's word counts still include deleted points.

        The engine counts deleted points until it rewrites the segment that held them. To find out,
        the words of one point are searched for twice: with the engine's counts and with counts of
        live points only. If deleted points are still counted, the weights of some of these words
        differ between the two searches, and so do the scores.
        If there is no point to search with, the counts are assumed to be out of date.
        """
        if not self._marker.lexical:
            return False
        request = qe.ScrollRequest(None, 1, having_lexical(), False, [LEXICAL])
        with engine_errors(self._folder):
            records, _ = self._shard.scroll(request)
            if not records:
                return True
            vector: Any = records[0].vector
            terms = vector[LEXICAL]
            query = qe.Query.Nearest(qe.SparseVector(terms.indices, terms.values), LEXICAL)
            seen = [
                [
                    (str(point.id), point.score)
                    for point in self._shard.query(
                        qe.QueryRequest(limit=_TOLD_BY, query=query, params=frequencies(live=live))
                    )
                ]
                for live in (True, False)
            ]
        return seen[0] != seen[1]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._writing, engine_errors(self._folder):
            if self._marker.points is not None:
                self._mark(replace(self._marker, points=None, files=None))
            yield

    def _mark(self, marker: Marker) -> None:
        write_marker(self._folder, marker)
        self._marker = marker
