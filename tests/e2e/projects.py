"""Small projects for end-to-end tests, with the real configuration and a tiny model."""

import functools
import json
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from kedro.framework import startup
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.runner import AbstractRunner

from moodswarm.commands.project import Project
from moodswarm.records import Document
from moodswarm.text.lexical import LexicalEncoder

ROOT = Path(__file__).parents[2]
DELETED_AT = datetime(2026, 1, 2, tzinfo=UTC)

# Every project here has the package's own settings, so Kedro reads them once per process. Reading
# them inspects the whole call stack, which is deep under pytest, and puts a folder of the project
# at the front of the import path, also for child processes.
_configure = functools.cache(startup.configure_project)


def _configure_once(package_name: str) -> None:
    _configure(package_name)
    pipelines.set_requested(None)  # an earlier run may have asked for only one pipeline


startup.configure_project = _configure_once  # type: ignore[assignment]
startup._add_src_to_path = lambda source_dir, project_path: None
# This loader reads the same YAML in half the time, and a run reads some twenty files.
yaml.SafeLoader = yaml.CSafeLoader  # type: ignore[misc, assignment]


@dataclass(frozen=True)
class SmallProject:
    """A project folder with the operations that tests need."""

    path: Path

    @classmethod
    def create(
        cls, path: Path, model: Path, *, charts: bool = False, **parameters: Any
    ) -> "SmallProject":
        """Lay out a folder with the project's configuration and a tiny model.

        Args:
            path: A folder that does not exist yet.
            model: The checkpoint that texts are embedded with.
            charts: Whether to save the histogram of each run; drawing it takes a third of a second.
            parameters: The project's own parameters.
        """
        path.mkdir(parents=True)
        shutil.copytree(ROOT / "conf", path / "conf", ignore=shutil.ignore_patterns("local"))
        for name in ("pyproject.toml", ".telemetry"):
            shutil.copy(ROOT / name, path)
        for folder in ("src", "data", "conf/local"):
            (path / folder).mkdir()
        project = cls(path)
        project.write_parameters(
            {"embedding": {"model": str(model), "precision": "float32"}, **parameters}
        )
        untracked = ["crawl", "feature", "retrieval_evaluation", "__default__"]
        switched_off = {"tracking": {"disable_tracking": {"pipelines": untracked}}}
        (path / "conf/local/mlflow.yml").write_text(yaml.safe_dump(switched_off))
        if not charts:
            unsaved = {"chunk_histogram": {"type": "MemoryDataset"}}
            (path / "conf/local/catalog_charts.yml").write_text(yaml.safe_dump(unsaved))
        return project

    def copy(self, path: Path) -> "SmallProject":
        """Copy the project with everything in it."""
        return SmallProject(Path(shutil.copytree(self.path, path)))

    def write_parameters(self, parameters: dict[str, Any]) -> None:
        """Replace the project's own parameters."""
        (self.path / "conf/local/parameters.yml").write_text(yaml.safe_dump(parameters))

    def parameters(self) -> dict[str, Any]:
        """Return the project's own parameters."""
        text = (self.path / "conf/local/parameters.yml").read_text()
        loaded: dict[str, Any] = yaml.safe_load(text)
        return loaded

    def run(
        self,
        env: str | None = None,
        runner: AbstractRunner | None = None,
        **runtime_params: Any,
    ) -> dict[str, Any]:
        """Run the feature pipeline in this process and return its report."""
        return self._run("feature", "feature_report", env, runner, runtime_params)

    def run_part(self, first: str, last: str | None = None, **runtime_params: Any) -> None:
        """Run the nodes of the feature pipeline from `first` to `last` in this process."""
        bootstrap_project(self.path)
        with KedroSession.create(self.path, runtime_params=runtime_params) as session:
            session.run(
                pipeline_names=["feature"], from_nodes=[first], to_nodes=[last] if last else None
            )

    def crawl(self, **runtime_params: Any) -> dict[str, Any]:
        """Run the crawl pipeline in this process and return its report."""
        return self._run("crawl", "crawl_report", None, None, runtime_params)

    def run_all(self) -> dict[str, Any]:
        """Run the default pipeline in this process and return its feature report."""
        return self._run("__default__", "feature_report", None, None, {})

    def _run(
        self,
        pipeline: str,
        report: str,
        env: str | None,
        runner: AbstractRunner | None,
        runtime_params: dict[str, Any],
    ) -> dict[str, Any]:
        bootstrap_project(self.path)
        with KedroSession.create(self.path, env=env, runtime_params=runtime_params) as session:
            session.run(pipeline_names=[pipeline], runner=runner)
        path = self.path / "data/08_reporting" / f"{report}.json"
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def open(self) -> Project:
        """Return the project with its stores; close it after use."""
        return Project(None, self.path)

    def upsert(self, documents: Iterable[Document]) -> None:
        """Write documents into the store."""
        project = self.open()
        result = project.documents.upsert_documents(list(documents))
        project.close()
        assert not result.failed

    def tombstone(self, *documents: Document) -> None:
        """Mark documents as deleted."""
        project = self.open()
        project.documents.tombstone_documents([d.id for d in documents], DELETED_AT)
        project.close()

    def documents(self) -> list[Document]:
        """Return all documents that are not deleted."""
        project = self.open()
        found = [document for page in project.documents.scan_documents() for document in page]
        project.close()
        return found

    def points(self) -> dict[str, dict[str, Any]]:
        """Return all points of all collections with their vectors, by collection and id."""
        project = self.open()
        found = {
            f"{status.name}/{point['id']}": _plain(point)
            for status in project.vectors.collections()
            for page in project.vectors.scroll(
                status.name, with_vectors=status.dimensions is not None
            )
            for point in page
        }
        project.close()
        return found

    def hits(self, words: str, name: str = "embedded_articles") -> list[tuple[str, float]]:
        """Search a collection for words and return the (id, score) of every hit."""
        project = self.open()
        query = LexicalEncoder().encode_query(words)
        found = project.vectors.search_lexical(name, query, 1_000)
        project.close()
        return [(hit.id, hit.score) for hit in found]


def _plain(point: dict[str, Any]) -> dict[str, Any]:
    if "vector" in point:
        return {**point, "vector": list(point["vector"])}
    return point


def article(number: int, text: str | None = None, **values: Any) -> Document:
    """Make an article of one or more chunks, with a different text for each number."""
    body = "\n\n".join(
        f"Paragraph {part} of article {number}. It speaks of boats, tea and tide tables."
        for part in range(1 + number % 4)
    )
    return Document.create(
        **{
            "kind": "article",
            "platform": "blog",
            "link": f"https://example.org/article/{number}",
            "author_full_name": "Mira Solano",
            "title": f"Article {number}",
            "content": body if text is None else text,
            **values,
        }
    )


def post(number: int, text: str | None = None) -> Document:
    """Make a post that becomes one chunk."""
    return article(
        number,
        f"Post {number}: the kettle sings." if text is None else text,
        kind="post",
        title=None,
        link=f"https://example.org/post/{number}",
    )


def without_vectors(points: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return points without their vectors, whose last digits depend on the batches."""
    return {
        key: {name: value for name, value in point.items() if name != "vector"}
        for key, point in points.items()
    }


def run_feature(path: Path) -> None:
    """Run the feature pipeline without output, as the only work of a process that may be killed."""
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        SmallProject(path).run()
