"""Provides commands with the stores and models that the project's configuration names."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.framework.project import settings
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, DatasetError
from kedro.utils import find_kedro_project
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError
from rich.logging import RichHandler
from yaml import YAMLError

from moodswarm.datasets.documents import DocumentsDataset
from moodswarm.datasets.vectors import CollectionsDataset
from moodswarm.llm.errors import LlmError
from moodswarm.models.embedder import Embedder
from moodswarm.models.embedding_parameters import EmbeddingParams
from moodswarm.models.errors import ModelError
from moodswarm.pipelines.console import console
from moodswarm.records import Author
from moodswarm.retrieval.errors import RetrievalError
from moodswarm.retrieval.parameters import RetrievalParams
from moodswarm.stores.documents.database import DocumentDatabase
from moodswarm.stores.errors import StoreError
from moodswarm.stores.vectors.protocol import VectorStore
from moodswarm.text.lexical import LexicalEncoder, LexicalParams

if TYPE_CHECKING:
    from moodswarm.llm.blocking import BlockingChat
    from moodswarm.llm.hooks.store import CallSink
    from moodswarm.llm.profiles import LlmSettings
    from moodswarm.models.reranker import Reranker
    from moodswarm.retrieval.retriever import Retriever

#: Errors that users can fix: only their message is shown, without a traceback.
KNOWN_ERRORS = (
    StoreError,
    ModelError,
    LlmError,
    RetrievalError,
    DatasetError,
    MissingConfigException,
    OmegaConfBaseException,
    YAMLError,
    ValidationError,
    ValueError,
    OSError,
)

logger = logging.getLogger(__name__)

_Dataset = TypeVar("_Dataset", DocumentsDataset, CollectionsDataset)


class Project:
    """The configuration of one environment; stores are opened when first used.

    It reads the same catalog as `kedro run`, but without starting a Kedro session.
    """

    def __init__(self, env: str | None, folder: Path | None = None) -> None:
        start = folder or Path.cwd()
        root = find_kedro_project(start)
        if root is None:
            raise click.UsageError(
                f"{start} is not inside a MoodSwarm project. Change to the folder that "
                "contains pyproject.toml and conf/."
            )
        self.root = Path(root)
        self.env = env
        self._opened = ExitStack()
        # This stack is closed before the stores, because models and retrievers still write to them.
        self._running = ExitStack()
        bootstrap_project(self.root)
        _log_to_stderr()

    @cached_property
    def config(self) -> OmegaConfigLoader:
        """The merged configuration.

        Raises:
            click.UsageError: there is no such environment.
        """
        conf = self.root / settings.CONF_SOURCE
        if self.env and not (conf / self.env).is_dir():
            known = sorted(path.name for path in conf.iterdir() if path.is_dir())
            raise click.UsageError(f"conf/ has no environment {self.env!r}. Choose one of {known}.")
        return OmegaConfigLoader(conf_source=str(conf), env=self.env, **settings.CONFIG_LOADER_ARGS)

    @cached_property
    def catalog(self) -> DataCatalog:
        """The data catalog; its entries are created on demand."""
        credentials = self.config["credentials"] if self._has_credentials() else {}
        return DataCatalog.from_config(
            absolute_paths(self.config["catalog"], self.root), credentials
        )

    @property
    def documents(self) -> DocumentDatabase:
        """The document store."""
        return self._entry("documents", DocumentsDataset).store

    @property
    def vectors(self) -> VectorStore:
        """The vector store."""
        return self._entry("embedded_chunks", CollectionsDataset).store

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model of the feature pipeline."""
        return EmbeddingParams(**self._parameters("embedding")).embedder()

    @cached_property
    def lexical(self) -> LexicalEncoder:
        """The encoder with which the feature pipeline weights words."""
        return LexicalEncoder(LexicalParams(**self._parameters("lexical")))

    @cached_property
    def retrieval(self) -> RetrievalParams:
        """The parameters of retrieval, which say which stages it has."""
        return RetrievalParams(**self._parameters("retrieval"))

    @cached_property
    def reranker(self) -> "Reranker | None":
        """The cross-encoder, which is loaded when first used; None if reranking is off."""
        from moodswarm.retrieval.opening import open_reranker

        return open_reranker(self.retrieval.rerank)

    @cached_property
    def llm_settings(self) -> "LlmSettings":
        """The profiles of language models; empty if there is no `profiles.yml`.

        Raises:
            ProfileError: a setting is wrong; the message names it.
        """
        from moodswarm.llm.errors import ProfileError
        from moodswarm.llm.profiles import LlmSettings, read_settings

        try:
            values = self.config["profiles"]
        except MissingConfigException:
            return LlmSettings()
        except OmegaConfBaseException as error:
            raise ProfileError(
                f"profiles.yml cannot be read: {str(error).partition(chr(10))[0]}. It needs the "
                "keys `profile` and `profiles`, as in conf/base/profiles.yml."
            ) from error
        return read_settings(values)

    def chat(self, profile: str | None = None) -> "BlockingChat | None":
        """Open the model of a profile; the project closes it.

        Args:
            profile: The name of a profile; None for the configured profile.

        Returns:
            None if no profile is configured.

        Raises:
            ProfileError: the profile is unknown, or its key or package is missing.
        """
        from moodswarm.llm.blocking import BlockingChat
        from moodswarm.llm.profiles import describe, open_chat

        # Without a profile there are no calls, so no store has to be opened to record them.
        sink = self._call_sink() if describe(self.llm_settings, profile=profile) else None
        client = open_chat(self.llm_settings, profile=profile, sink=sink)
        return self._running.enter_context(BlockingChat(client)) if client else None

    def retriever(
        self, chat: "BlockingChat | None" = None, *, context: bool = False
    ) -> "Retriever":
        """Assemble the stages of `parameters_retrieval.yml`; the project closes the retriever.

        Args:
            chat: The model that rewords questions and reads the context; None to do without both.
            context: Whether to build the context even if there is no model to read it.
        """
        from moodswarm.retrieval.opening import open_retriever

        params = self.retrieval if chat or context else self.retrieval.without_context()
        retriever = open_retriever(
            self.vectors,
            self.embedder,
            self.lexical,
            params,
            authors=self._authors,
            chat=chat,
            reranker=self.reranker,
        )
        return self._running.enter_context(retriever)

    def _authors(self) -> list[Author]:
        """Read the authors on demand: a search opens the document store only if it needs names."""
        return self.documents.authors()

    def _call_sink(self) -> "CallSink | None":
        try:
            return self.documents.calls.record
        except StoreError as error:
            logger.warning("calls of the language model are not recorded: %s", error)
            return None

    def close(self) -> None:
        """Release the stores and models that were opened."""
        try:
            self._running.close()
        finally:
            self._opened.close()

    def _parameters(self, group: str) -> dict[str, Any]:
        return self.config["parameters"].get(group) or {}

    def _entry(self, name: str, expected: type[_Dataset]) -> _Dataset:
        dataset = self.catalog[name]
        if not isinstance(dataset, expected):
            raise DatasetError(
                f"catalog entry `{name}` is a {type(dataset).__name__}. Make it a "
                f"{expected.__module__}.{expected.__name__}."
            )
        self._opened.callback(dataset.release)
        return dataset

    def _has_credentials(self) -> bool:
        folders = ("base", self.env or settings.CONFIG_LOADER_ARGS["default_run_env"])
        conf = self.root / settings.CONF_SOURCE
        return any(
            path.stem == "credentials" for name in folders for path in (conf / name).glob("*.yml")
        )


def _log_to_stderr() -> None:
    """Keep standard output for results: Kedro's handler writes log lines there."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, RichHandler):
            handler.console = console(stderr=True)
    # Commands print the outcome of a call to a model themselves, so it is not logged as well.
    logging.getLogger("moodswarm.llm").setLevel(logging.WARNING)


def absolute_paths(entries: dict[str, Any], root: Path) -> dict[str, Any]:
    """Make relative `path` and `filepath` values absolute, as a Kedro session does."""
    return {
        key: absolute_paths(value, root)
        if isinstance(value, dict)
        else str(root / value)
        if key in ("path", "filepath") and isinstance(value, str) and "://" not in value
        else value
        for key, value in entries.items()
    }


def with_project(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the project to a command as its first argument, and close its stores at the end."""

    @wraps(command)
    @click.pass_context
    def wrapped(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:
        project = Project(ctx.obj["env"])
        try:
            return command(project, *args, **kwargs)
        finally:
            project.close()

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
