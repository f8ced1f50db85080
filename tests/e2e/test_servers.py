"""The same pipeline works with server stores; only the catalog and the credentials differ."""

import os
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.document_stores import wire_server
from e2e.projects import SmallProject, article, post


def use_mongodb(project: SmallProject, uri: str) -> None:
    """Move the document store to MongoDB by changing only the catalog."""
    entry = {
        "type": "moodswarm.datasets.documents.DocumentsDataset",
        "store": {"backend": "mongodb", "database": f"test_{uuid.uuid4().hex[:12]}"},
        "credentials": "mongodb",
    }
    write(project, "catalog_documents.yml", {"documents": entry})
    write(project, "credentials.yml", {"mongodb": {"uri": uri}})


def write(project: SmallProject, name: str, content: dict[str, Any]) -> None:
    (project.path / "conf/local" / name).write_text(yaml.safe_dump(content))


def exercise(project: SmallProject) -> None:
    """Add, change and delete documents, with a run after each step."""
    project.upsert([article(1), article(2), post(1)])
    assert project.run()["documents"]["new"] == 3
    project.upsert([article(2, "Changed.")])
    project.tombstone(post(1))
    assert project.run()["documents"] == {"new": 0, "changed": 1, "unchanged": 1, "deleted": 1}
    assert project.run()["chunks"] == 0


def test_documents_in_mongodb(tmp_path: Path, tiny_model: Path) -> None:
    project = SmallProject.create(tmp_path / "project", tiny_model)
    with wire_server(tmp_path) as uri:
        use_mongodb(project, uri)
        exercise(project)


@pytest.mark.skipif(
    not {"MOODSWARM_TEST_MONGODB_URI", "MOODSWARM_TEST_QDRANT_URL"} <= os.environ.keys(),
    reason="set MOODSWARM_TEST_MONGODB_URI and MOODSWARM_TEST_QDRANT_URL to servers to test with",
)
def test_both_stores_on_servers(tmp_path: Path, tiny_model: Path) -> None:
    project = SmallProject.create(tmp_path / "project", tiny_model)
    use_mongodb(project, os.environ["MOODSWARM_TEST_MONGODB_URI"])
    catalog = yaml.safe_load((project.path / "conf/server/catalog_feature.yml").read_text())
    catalog.pop("documents")
    for entry in catalog.values():
        entry["store"]["prefix"] = f"test_{project.path.parent.name}_"
    write(project, "catalog_vectors.yml", catalog)
    credentials = yaml.safe_load((project.path / "conf/local/credentials.yml").read_text())
    qdrant = {
        "url": os.environ["MOODSWARM_TEST_QDRANT_URL"],
        "api_key": os.environ.get("MOODSWARM_TEST_QDRANT_API_KEY"),
    }
    write(project, "credentials.yml", {**credentials, "qdrant": qdrant})
    exercise(project)
    opened = project.open()
    for status in opened.vectors.collections():
        opened.vectors.delete_collection(status.name)
    opened.close()
