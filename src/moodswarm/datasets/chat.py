"""The configured language model as a Kedro dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from moodswarm.llm.batch.cache import TaskCache
from moodswarm.llm.blocking import BlockingChat
from moodswarm.llm.hooks.store import CallSink
from moodswarm.llm.profiles import open_chat, read_settings


@dataclass(frozen=True, slots=True)
class ConfiguredChat:
    """A model, and the cache of its answers.

    Attributes:
        chat: Sends requests to the model.
        cache: Answers that were paid for in earlier runs.
        concurrency: Number of items that a batch should process at the same time.
    """

    chat: BlockingChat
    cache: TaskCache
    concurrency: int


class ChatDataset(AbstractDataset[None, ConfiguredChat | None]):
    """The language model chosen in `profiles.yml`, for nodes that also work without one.

    Loading returns a `ConfiguredChat`, or None if no profile is chosen. A hook calls `configure`
    with the profiles before a run; nothing is opened before the first load.

    ```yaml
    chat:
      type: moodswarm.datasets.chat.ChatDataset
      path: data/07_model_output/answers
    ```

    ```python
    >>> import tempfile
    >>> dataset = ChatDataset(path=tempfile.mkdtemp())
    >>> dataset.load() is None
    True
    >>> profiles = {"fake": {"provider": "fake", "model": "echo"}}
    >>> dataset.configure({"profile": "fake", "profiles": profiles})
    >>> dataset.load().chat.model
    'echo'
    >>> dataset.release()

    ```
    """

    def __init__(
        self, *, path: str, profile: str | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._path = Path(path)
        self._profile = profile
        self._profiles: Mapping[str, Any] = {}
        self._sink: CallSink | None = None
        self.metadata = metadata

    def configure(self, profiles: Mapping[str, Any], sink: CallSink | None = None) -> None:
        """Set the profiles, before the first load.

        Args:
            profiles: The content of `profiles.yml`.
            sink: Receives finished calls from the hook `store`; for example `CallStore.record`.
        """
        self.release()
        self._profiles, self._sink = profiles, sink

    @cached_property
    def opened(self) -> ConfiguredChat | None:
        """The model; None if no profile is chosen.

        Raises:
            ProfileError: the profile is unknown, or its key or package is missing.
        """
        settings = read_settings(self._profiles)
        client = open_chat(settings, profile=self._profile, sink=self._sink)
        if client is None:
            return None
        # Twice as many items as requests, so that items waiting to retry leave no request slot
        # unused.
        concurrency = 2 * client.options.concurrency
        # In a dry run, the fake model has the name of the real one. Its made-up answers must not
        # end up among the real ones.
        folder = self._path / "fake" if client.options.provider == "fake" else self._path
        return ConfiguredChat(BlockingChat(client), TaskCache(folder), concurrency)

    def load(self) -> ConfiguredChat | None:
        """Return the model, or None if none is configured."""
        return self.opened

    def save(self, data: None) -> None:  # noqa: ARG002  # Kedro's name
        """Refuse to save, since a model is chosen in `profiles.yml`.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("a model cannot be saved here; choose one in conf/base/profiles.yml")

    def _exists(self) -> bool:
        return self.opened is not None

    def _release(self) -> None:
        if (opened := self.__dict__.pop("opened", None)) is not None:
            opened.chat.close()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "profile": self._profile}
