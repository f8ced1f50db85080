"""The base class of datasets that are backed by a store."""

from functools import cached_property
from typing import Any, Generic, TypeVar

import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.vectors.protocol import VectorStore

StoreT = TypeVar("StoreT", DocumentDatabase, VectorStore)

# Descriptions, logs and errors show the `store:` part of an entry, but never `credentials:`.
_ONLY_IN_CREDENTIALS = {"api_key", "password", "uri", "url"}


class StoreDataset(AbstractDataset[pa.Table, Any], Generic[StoreT]):
    """A store that is opened at its first use and closed by `release`."""

    def __init__(
        self,
        *,
        store: dict[str, Any],
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._config = store
        self._credentials = credentials
        self.metadata = metadata

    @cached_property
    def store(self) -> StoreT:
        """The open store.

        Raises:
            DatasetError: a secret is under `store:`, where it would be logged.
        """
        if misplaced := sorted(self._config.keys() & _ONLY_IN_CREDENTIALS):
            raise DatasetError(
                f"{', '.join(misplaced)} found under `store:`, which is logged. Put it into "
                "credentials.yml, or into an environment variable named there, and add "
                "`credentials:` to the entry"
            )
        return self._open()

    def _open(self) -> StoreT:
        raise TypeError(f"{type(self).__name__} does not say how its store is opened")

    def _release(self) -> None:
        if "store" in self.__dict__:
            self.__dict__.pop("store").close()

    def _describe(self) -> dict[str, Any]:
        shown = self._config.keys() - _ONLY_IN_CREDENTIALS
        return {"store": {key: self._config[key] for key in sorted(shown)}}
