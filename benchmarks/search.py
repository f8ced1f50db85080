"""Fill and search an embedded store and its rivals, in one run.

    python benchmarks/search.py --points 100000 [--json FILE]

The points resemble embeddings of texts: unit vectors around 1,000 topics, with 1 KB of payload and
a keyword field with ten values. Every answer is compared with a scan by NumPy, whose time is also
the least that an engine in memory could take. The other rival is the local mode of qdrant-client,
which gets fewer questions. Times are wall-clock milliseconds; run this on an idle machine.
"""

import argparse
import json
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from qdrant_client import QdrantClient

from moodswarm.stores.vectors.edge.store import EdgeVectorStore
from moodswarm.stores.vectors.protocol import Match, VectorStore
from moodswarm.stores.vectors.server.store import ServerVectorStore

DIMENSIONS = 384
TOPICS = 1_000
# Two texts on the same topic have a cosine of about 0.3; texts on different topics about 0.
SPREAD = 1.5
K = 10
PAGE = 5_000
COLLECTION = "articles"
FILTERED: Match = {"platform": ["platform-3"]}

Matrix = npt.NDArray[np.float32]
Search = Callable[[Matrix], list[int]]
Row = dict[str, Any]


def make_vectors(points: int, queries: int, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Return float32 [points, 384] and [queries, 384] of unit norm, drawn around common topics."""
    rng = np.random.default_rng(seed)
    topics = _unit(rng.standard_normal((TOPICS, DIMENSIONS), dtype=np.float32))

    def draw(count: int) -> Matrix:
        noise = rng.standard_normal((count, DIMENSIONS), dtype=np.float32)
        return _unit(topics[rng.integers(0, TOPICS, count)] + SPREAD / DIMENSIONS**0.5 * noise)

    return draw(points), draw(queries)


def _unit(rows: Matrix) -> Matrix:
    normed: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return normed


def make_table(vectors: Matrix, first: int) -> pa.Table:
    """Build points numbered from `first`, like those of the feature pipeline."""
    numbers = range(first, first + len(vectors))
    words = np.random.default_rng(first).integers(0, 10_000, (len(vectors), 200))
    return pa.table(
        {
            "id": [str(uuid.uuid5(uuid.NAMESPACE_URL, str(n))) for n in numbers],
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSIONS),
            "number": list(numbers),
            "platform": [f"platform-{n % 10}" for n in numbers],
            "text": [" ".join(map(str, row)) for row in words.tolist()],
        }
    )


def load(store: VectorStore, vectors: Matrix) -> Row:
    """Write all points; the time to build the tables is not counted."""
    store.ensure_collection(COLLECTION, DIMENSIONS, ["platform"])
    cpu = clock = 0.0
    for first in range(0, len(vectors), PAGE):
        page = make_table(vectors[first : first + PAGE], first)
        started = time.process_time(), time.perf_counter()
        store.upsert_points(COLLECTION, page)
        store.flush()
        cpu += time.process_time() - started[0]
        clock += time.perf_counter() - started[1]
    return {"points_per_cpu_second": len(vectors) / cpu, "points_per_second": len(vectors) / clock}


def ask(store: VectorStore, match: Match | None, exact: bool | None = None) -> Search:
    """Return the search that a retriever would make."""

    def search(query: Matrix) -> list[int]:
        hits = store.search(COLLECTION, query, K, match, exact)
        return [hit.payload["number"] for hit in hits]

    return search


def scan(vectors: Matrix, match: Match | None) -> Search:
    """Return the same search over vectors in memory, which is exact and reads no payloads."""
    numbers = np.arange(3, len(vectors), 10) if match else np.arange(len(vectors))
    rows = np.ascontiguousarray(vectors[numbers])

    def search(query: Matrix) -> list[int]:
        scores = rows @ query
        best = np.argpartition(-scores, K)[:K]
        found: list[int] = numbers[best[np.argsort(-scores[best])]].tolist()
        return found

    return search


def measure(name: str, search: Search, truth: Search, queries: Matrix) -> Row:
    """Run up to 50 queries to warm up, then each query once; compare the answers with the truth."""
    for query in queries[:50]:
        search(query)
    times, recalled = [], 0
    cpu = time.process_time()
    answers = []
    for query in queries:
        started = time.perf_counter()
        answers.append(search(query))
        times.append(1_000 * (time.perf_counter() - started))
    cpu = time.process_time() - cpu
    for query, answer in zip(queries, answers, strict=True):
        recalled += len(set(answer) & set(truth(query)))
    p50, p95, p99 = np.percentile(times, [50, 95, 99]).tolist()
    return {
        "search": name,
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "cpu": 1_000 * cpu / len(queries),
        "recall": recalled / K / len(queries),
    }


def run_edge(folder: Path, vectors: Matrix, queries: Matrix) -> tuple[Row, list[Row]]:
    """Load the store, search it by scanning, build the index, and search again."""
    store = EdgeVectorStore(folder, index_from=min(50_000, len(vectors) // 2))
    loaded = load(store, vectors)
    plain, filtered = scan(vectors, None), scan(vectors, FILTERED)
    rows = [
        measure("edge, exact", ask(store, None), plain, queries),
        measure("edge, exact, filtered", ask(store, FILTERED), filtered, queries),
    ]
    started = time.process_time()
    store.optimize(COLLECTION)
    loaded["index_cpu_seconds"] = time.process_time() - started
    store.close()
    loaded["mib"] = sum(f.stat().st_blocks * 512 for f in folder.rglob("*")) / 2**20
    store = EdgeVectorStore(folder)
    rows += [
        measure("edge, indexed", ask(store, None), plain, queries),
        measure("edge, indexed, filtered", ask(store, FILTERED), filtered, queries),
    ]
    store.close()
    return {"store": "edge", **loaded}, rows


def run_local_mode(vectors: Matrix, queries: Matrix) -> tuple[Row, list[Row]]:
    """Fill and search the local mode of qdrant-client, which needs no server."""
    store = ServerVectorStore(client=QdrantClient(":memory:"))
    loaded = load(store, vectors)
    rows = []
    for name, match in (("local mode", None), ("local mode, filtered", FILTERED)):
        rows.append(measure(name, ask(store, match), scan(vectors, match), queries))
    store.close()
    return {"store": "local mode", **loaded}, rows


def run_numpy(vectors: Matrix, queries: Matrix) -> list[Row]:
    """Search with NumPy, the lower bound: vectors in memory, no payloads, nothing on disk."""
    rows = []
    for name, match in (("numpy", None), ("numpy, filtered", FILTERED)):
        rows.append(measure(name, scan(vectors, match), scan(vectors, match), queries))
    return rows


def add_ratios(rows: list[Row]) -> None:
    """Add to each row how many times faster its median is than the medians of the rivals."""
    for row in rows:
        suffix = ", filtered" if "filtered" in row["search"] else ""
        for rival in ("local mode", "numpy"):
            reference = next((r for r in rows if r["search"] == rival + suffix), None)
            row[f"vs {rival}"] = reference["p50"] / row["p50"] if reference else None


def show(loads: list[Row], rows: list[Row]) -> None:
    """Print both tables as markdown."""
    print("| store | points per CPU-s | per second | index, CPU-s | MiB on disk |")
    print("|---|---:|---:|---:|---:|")
    for row in loads:
        index, size = row.get("index_cpu_seconds"), row.get("mib")
        print(
            f"| {row['store']} | {row['points_per_cpu_second']:,.0f} "
            f"| {row['points_per_second']:,.0f} | {_cell(index, '.0f')} | {_cell(size, ',.0f')} |"
        )
    print("\n| search | p50 ms | p95 | p99 | CPU ms | recall@10 | x local mode | x numpy |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(
            f"| {row['search']} | {row['p50']:.2f} | {row['p95']:.2f} | {row['p99']:.2f} "
            f"| {row['cpu']:.2f} | {row['recall']:.4f} "
            f"| {_cell(row['vs local mode'], '.1f')} | {_cell(row['vs numpy'], '.1f')} |"
        )


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def main() -> None:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument(
        "--rival-points", type=int, help="fewer points for local mode, as it is slow"
    )
    parser.add_argument("--rival-queries", type=int, default=10, help="0 skips local mode")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to FILE")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="qdrant_client")
    warnings.filterwarnings("ignore", "Local mode|Payload indexes")

    vectors, queries = make_vectors(options.points, options.queries)
    folder = Path(tempfile.mkdtemp(prefix="moodswarm-search-"))
    try:
        loaded, rows = run_edge(folder, vectors, queries)
    finally:
        shutil.rmtree(folder)
    loads = [loaded]
    if options.rival_queries:
        few = vectors[: options.rival_points or len(vectors)]
        loaded, more = run_local_mode(few, queries[: options.rival_queries])
        loads.append(loaded)
        rows += more
    rows += run_numpy(vectors, queries)
    add_ratios(rows)
    show(loads, rows)
    if options.json:
        numbers = {"points": options.points, "loads": loads, "searches": rows}
        options.json.write_text(json.dumps(numbers, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
