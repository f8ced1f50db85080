"""Batches of records on disk, written and read one page at a time."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from moodswarm.datasets.table_preview import TablePreview, table_preview


class Batches:
    """The pages of a `BatchesDataset`; iterating holds one page in memory, and can be repeated.

    Attributes:
        paths: One Parquet file per page, in order.
        on_rows: Called with the number of rows in each page once the reader is done with that page.
    """

    def __init__(
        self, paths: list[Path], on_rows: Callable[[int], None] = lambda _rows: None
    ) -> None:
        self.paths = paths
        self.on_rows = on_rows

    def __iter__(self) -> Iterator[pa.Table]:
        import pyarrow.parquet as pq

        for path in self.paths:
            # With more than one thread, several pages would be in memory at the same time.
            batch = pq.read_table(path, use_threads=False)
            yield batch
            self.on_rows(len(batch))

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        """Return the folder and the counts, as a notebook shows them."""
        folder = self.paths[0].parent if self.paths else "no folder"
        return f"<Batches in {folder}: {len(self)} pages, {self.num_rows:,} rows>"

    @property
    def num_rows(self) -> int:
        """The number of rows in all pages, read from the footers of the files."""
        import pyarrow.parquet as pq

        return sum(pq.read_metadata(path).num_rows for path in self.paths)

    def watched(self, on_rows: Callable[[int], None]) -> "Batches":
        """Return the same pages with another `on_rows`."""
        return Batches(self.paths, on_rows)


class BatchesDataset(AbstractDataset[pa.Table, Batches]):
    """Arrow batches as a folder of Parquet files, one per page.

    A generator node saves one page after another. The first save of a run replaces what was there,
    later saves add a page each, and a load ends the writing. Each page appears whole or not at all.

    ```yaml
    chunks:
      type: moodswarm.datasets.batches.BatchesDataset
      path: data/02_intermediate/chunks
    ```

    ```python
    >>> import pyarrow as pa, tempfile
    >>> dataset = BatchesDataset(path=tempfile.mkdtemp() + "/chunks")
    >>> dataset.save(pa.table({"id": ["a"]}))
    >>> dataset.save(pa.table({"id": ["b"]}))
    >>> [page["id"].to_pylist() for page in dataset.load()]
    [['a'], ['b']]

    ```
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self._pages_written: int | None = None
        self.metadata = metadata

    def save(self, data: pa.Table) -> None:
        """Add a page of rows; the first save of a run replaces what was there."""
        import pyarrow.parquet as pq

        if self._pages_written is None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path.mkdir(parents=True)
            self._pages_written = 0
        page = self._path / f"page-{self._pages_written:06d}.parquet"
        unfinished = page.with_suffix(".unfinished")
        pq.write_table(data, unfinished, compression="zstd", compression_level=1)
        unfinished.rename(page)
        self._pages_written += 1

    def load(self) -> Batches:
        """Return the pages, read lazily.

        Raises:
            DatasetError: nothing has been saved here yet.
        """
        self._pages_written = None
        if not self._exists():
            raise DatasetError(
                f"no batches at {self._path}. First run the pipeline that writes them, "
                "for example `kedro run --pipeline=feature`"
            )
        return Batches(sorted(self._path.glob("page-*.parquet")))

    def preview(self, nrows: int = 5) -> TablePreview:
        """Show the first rows in kedro-viz."""
        rows: list[dict[str, Any]] = []
        columns: list[str] = []
        for batch in self.load() if self._exists() else ():
            columns = batch.schema.names
            rows += batch.slice(0, nrows - len(rows)).to_pylist()
            if len(rows) >= nrows:
                break
        return table_preview(rows, columns)

    def _exists(self) -> bool:
        return any(self._path.glob("page-*.parquet"))

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path)}
