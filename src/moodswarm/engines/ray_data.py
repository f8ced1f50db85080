"""Runs steps on Ray Data: the same function, on as many machines as the cluster has."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from moodswarm.engines.engine import EngineParams, Step, StepFactory


class MissingRay(ImportError):
    """Ray is not installed."""


class RayEngine:
    """Applies a step with a pool of actors, each of which builds the step once.

    Workers read their pages from files, so a cluster needs a file system that all its machines
    can access (set the paths in the catalog), and MoodSwarm installed on each machine.
    """

    def __init__(self, params: EngineParams) -> None:
        self._params = params

    def map_batches(
        self, make_step: StepFactory, batches: Iterable[pa.Table]
    ) -> Iterator[pa.Table]:
        """Yield the step's result for every batch, see `Engine.map_batches`."""
        with TemporaryDirectory(prefix="moodswarm-pages-") as folder:
            paths = _paths_of(batches, Path(folder))
            if not paths:
                return
            on_rows = getattr(batches, "on_rows", lambda _rows: None)
            for path, result in zip(paths, self._map_paths(make_step, paths), strict=True):
                yield result
                on_rows(pq.read_metadata(path).num_rows)

    def _map_paths(self, make_step: StepFactory, paths: list[Path]) -> Iterator[pa.Table]:
        ray = _started_ray(self._params.address)
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        pages = ray.data.from_items(
            [{"page": number, "path": str(path)} for number, path in enumerate(paths)],
            override_num_blocks=len(paths),
        ).map_batches(
            _Worker,
            fn_constructor_args=(make_step,),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=self._params.workers),
            num_cpus=self._params.cpus_per_worker,
            num_gpus=self._params.gpus_per_worker or None,
        )
        rows = pages.iter_batches(batch_size=1, batch_format="pyarrow", prefetch_batches=1)
        for expected, row in enumerate(rows):
            number = row["page"][0].as_py()
            if number != expected:
                raise RuntimeError(f"Ray returned page {number}, but page {expected} was expected")
            yield _from_bytes(row["result"][0].as_buffer())


class _Worker:
    """Runs in an actor: reads a page and returns the step's result.

    A result is sent as one binary value, because Ray may merge and split tables, and a page must
    stay whole.
    """

    def __init__(self, make_step: StepFactory) -> None:
        self._step: Step = make_step()

    def __call__(self, pages: pa.Table) -> pa.Table:
        results = [
            _to_bytes(self._step(pq.read_table(path, use_threads=False)))
            for path in pages["path"].to_pylist()
        ]
        return pa.table({"page": pages["page"], "result": pa.array(results, pa.large_binary())})


def _paths_of(batches: Iterable[pa.Table], folder: Path) -> list[Path]:
    """Return the files of the batches; batches that are not in files are written to the folder."""
    paths: list[Path] | None = getattr(batches, "paths", None)
    if paths is not None:
        return paths
    written = []
    for number, batch in enumerate(batches):
        path = folder / f"page-{number:06d}.parquet"
        pq.write_table(batch, path)
        written.append(path)
    return written


def _started_ray(address: str) -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingRay(
            'the Ray engine needs Ray: pip install "moodswarm[ray]", '
            "or set `engine.backend: in_process`"
        ) from error
    if not ray.is_initialized():
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address=None if address == "local" else address,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level=logging.WARNING,
        )
    return ray


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _from_bytes(buffer: pa.Buffer) -> pa.Table:
    with pa.ipc.open_stream(buffer) as reader:
        return reader.read_all()
