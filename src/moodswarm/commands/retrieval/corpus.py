"""A test collection in stores of its own, with features made by the project's own pipeline."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.hooks.markers import HOOK_NAMESPACE
from kedro.framework.hooks.specs import DatasetSpecs, NodeSpecs, PipelineSpecs
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from pluggy import PluginManager

from moodswarm.datasets.documents import DocumentsDataset
from moodswarm.datasets.vectors import CollectionsDataset, FeatureIndexDataset
from moodswarm.pipelines.feature import create_pipeline
from moodswarm.records import KINDS, Document
from moodswarm.records.collections import collection_name
from moodswarm.stores.vectors.protocol import VectorStore

_BATCH = 256
_STORES = {DocumentsDataset: "sqlite", CollectionsDataset: "edge", FeatureIndexDataset: "edge"}


@dataclass(slots=True)
class CorpusCounts:
    """How many documents a collection has, and how many were embedded or rejected, and why."""

    documents: int
    rejected: dict[str, int]
    embedded_now: int
    chunks: int


class WorkCorpus:
    """The stores of a test collection in a work folder; the project's own stores are never opened.

    Args:
        folder: The work folder; created when first written to. A run goes on from what an earlier
            run left there.
        catalog: The project's catalog; its entries keep their types, but their data is kept in the
            folder.
        parameters: The project's parameters.
    """

    def __init__(
        self, folder: Path, catalog: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> None:
        self.folder = folder
        self._pipeline = create_pipeline()
        self._entries = redirected(catalog, self._pipeline.datasets(), folder)
        self._parameters = dict(parameters)
        self._opened = ExitStack()

    @cached_property
    def catalog(self) -> DataCatalog:
        """The feature pipeline's catalog entries, with their data in the work folder."""
        catalog = DataCatalog.from_config(self._entries)
        for name in self._entries:
            self._opened.callback(catalog.release, name)
        validator = ParameterValidator({"feature": self._pipeline})
        try:
            typed = validator.validate_raw_params(self._parameters)
        except ParameterValidationError as error:
            raise ValueError(str(error)) from error
        for name in self._pipeline.inputs():
            if name.startswith("params:"):
                catalog[name] = _nested(typed, name.removeprefix("params:"))
        return catalog

    @property
    def vectors(self) -> VectorStore:
        """The vector store that holds the chunks."""
        store: VectorStore = self.catalog["embedded_chunks"].load()
        return store

    def fill(self, documents: Iterable[Document]) -> dict[str, str]:
        """Make the document store hold exactly these documents.

        Args:
            documents: The documents; read in batches, so that a corpus need not fit into memory.

        Returns:
            The reason for each document that could not be stored, by its link.
        """
        store = self.catalog["documents"].load()
        kept: set[str] = set()
        failed: dict[str, str] = {}
        reader = iter(documents)
        while batch := list(islice(reader, _BATCH)):
            result = store.upsert_documents(batch)
            failed |= {failure.link: failure.reason for failure in result.failed}
            kept |= {document.id for document in batch}
        stored = (row for page in store.scan_hashes() for row in page["id"].to_pylist())
        if gone := [name for name in stored if name not in kept]:
            store.tombstone_documents(gone, datetime.now(UTC))
        return failed

    def make_features(self, on_chunks: Callable[[int, int], None]) -> CorpusCounts:
        """Run the feature pipeline, which embeds only new or changed documents.

        Args:
            on_chunks: Called with how many chunks are embedded so far, and how many there are.
        """
        hooks = PluginManager(HOOK_NAMESPACE)
        for specs in (NodeSpecs, PipelineSpecs, DatasetSpecs):
            hooks.add_hookspecs(specs)
        hooks.register(_Progress(self.catalog, on_chunks))
        SequentialRunner().run(self._pipeline, self.catalog, hooks)
        report = self.catalog["feature_report"].load()
        rows = list(self.catalog["feature_index"].load().rows())
        return CorpusCounts(
            documents=len(rows),
            rejected=dict(Counter(row["reason"] for row in rows if row["status"] == "rejected")),
            embedded_now=report["documents"]["new"] + report["documents"]["changed"],
            chunks=sum(self.vectors.count(collection_name("embedded", kind)) for kind in KINDS),
        )

    def close(self) -> None:
        """Release the stores."""
        self._opened.close()


class _Progress:
    """Reports how far embedding has come, as the node saves page after page."""

    def __init__(self, catalog: DataCatalog, on_chunks: Callable[[int, int], None]) -> None:
        self._catalog, self._on_chunks = catalog, on_chunks
        self._done = 0

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Count the chunks in a page that was saved, and report the total."""
        if dataset_name == "embedded_chunks" and len(data):
            self._done += len(data)
            self._on_chunks(self._done, self._catalog["chunks"].load().num_rows)


def redirected(
    catalog: Mapping[str, Any], names: Iterable[str], folder: Path
) -> dict[str, dict[str, Any]]:
    """Return catalog entries with every store and file moved to a folder.

    Args:
        catalog: The entries as configured, which may be for servers.
        names: The names of the entries to return.
        folder: The folder that the stores and files are moved to.
    """
    return {name: _redirect(dict(catalog[name]), folder) for name in names if name in catalog}


def _redirect(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    entry.pop("credentials", None)
    backends = {f"{kind.__module__}.{kind.__name__}": name for kind, name in _STORES.items()}
    if "store" in entry:
        backend = backends.get(entry["type"])
        path = folder / ("documents.db" if backend == "sqlite" else "qdrant")
        entry["store"] = {"backend": backend, "path": str(path)}
    for key in ("path", "filepath"):
        if key in entry:
            entry[key] = str(folder / "pages" / Path(entry[key]).name)
    return entry


def _nested(values: Mapping[str, Any], name: str) -> Any:
    found: Any = values
    for part in name.split("."):
        found = found[part]
    return found
