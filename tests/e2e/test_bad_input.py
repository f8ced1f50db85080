"""Bad input is refused with a clear message or counted with a reason; nothing else is lost."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.projects import SmallProject, article, post
from models.tiny import build_tiny_checkpoint
from moodswarm.models.errors import ModelNotFound, ModelUnreadable
from moodswarm.pipelines.feature.nodes import EmptyDocumentStore
from moodswarm.stores.errors import StoreCorrupt, VectorSizeMismatch


@pytest.fixture
def project(tmp_path: Path, tiny_model: Path) -> SmallProject:
    return SmallProject.create(tmp_path / "project", tiny_model)


def test_an_empty_store_says_what_to_do(project: SmallProject) -> None:
    with pytest.raises(EmptyDocumentStore, match="is empty.*moodswarm import"):
        project.run()


def test_a_store_that_was_lost_does_not_empty_the_collections(project: SmallProject) -> None:
    project.upsert([post(1)])
    project.run()
    before = project.points()
    (project.path / "data/01_raw/documents.db").unlink()
    with pytest.raises(EmptyDocumentStore, match=r"documents\.db is empty, so nothing was changed"):
        project.run()
    assert project.points() == before


def test_a_secret_in_the_wrong_place_is_refused_and_not_shown(project: SmallProject) -> None:
    catalog = project.path / "conf/base/catalog_feature.yml"
    catalog.write_text(catalog.read_text().replace("backend: edge,", "api_key: very-secret,"))
    with pytest.raises(Exception, match="api_key found under `store:`") as caught:
        project.run()
    assert "very-secret" not in str(caught.value)


def test_a_runner_of_many_processes_is_refused(project: SmallProject) -> None:
    from kedro.runner import ParallelRunner

    project.upsert([post(1)])
    with pytest.raises(ValueError, match=r"engine\.backend=ray"):
        project.run(runner=ParallelRunner())


def test_a_missing_model_is_named(project: SmallProject) -> None:
    project.upsert([post(1)])
    with pytest.raises(ModelNotFound, match="no/such/model"):
        project.run(embedding={"model": "/no/such/model"})


def test_an_unreadable_model_is_named(
    project: SmallProject, tiny_model: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    (broken / "model.safetensors").write_bytes(b"not weights")
    project.upsert([post(1)])
    with pytest.raises(ModelUnreadable, match=r"broken.*model\.safetensors"):
        project.run(embedding={"model": str(broken)})


def test_another_vector_size_is_refused_before_any_work(
    project: SmallProject, tmp_path: Path
) -> None:
    project.upsert([post(1)])
    project.run()
    before = project.points()
    wider = build_tiny_checkpoint(tmp_path / "wider", dimensions=64)
    with pytest.raises(VectorSizeMismatch, match="size 32.*makes 64.*--delete embedded_posts"):
        project.run(embedding={"model": str(wider)})
    assert project.points() == before


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"chunking": {"post": {"size": 0}}}, "size"),
        ({"chunking": {"post": {"size": 20, "overlap": 20}}}, "overlap"),
        ({"chunking": {"article": {"min_characters": 9, "max_characters": 8}}}, "min_characters"),
        ({"chunking": {"poem": {}}}, "poem"),
        ({"embedding": {"precision": "float12"}}, "precision"),
        ({"engine": {"backend": "spark"}}, "backend"),
        ({"paging": {"characters": -1}}, "characters"),
    ],
)
def test_a_parameter_out_of_range_is_named(
    project: SmallProject, parameters: dict[str, object], named: str
) -> None:
    project.upsert([post(1)])
    with pytest.raises(Exception, match=named):
        project.run(**parameters)


def test_a_corrupt_document_store_is_named(project: SmallProject) -> None:
    path = project.path / "data/01_raw/documents.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is not a database" * 1000)
    with pytest.raises(StoreCorrupt, match=r"documents\.db"):
        project.open().documents.status()


HOLD = """
import sys
from pathlib import Path
from moodswarm.stores.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), timeout=0)
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("folder", ["data/04_feature/qdrant", "data/02_intermediate"])
def test_a_run_that_cannot_wait_names_the_process_with_the_lock(
    project: SmallProject, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moodswarm.hooks.run_lock.LOCK_TIMEOUT_SECONDS", 0.0)
    catalog = project.path / "conf/base/catalog_feature.yml"
    patient, hasty = "backend: edge,", "backend: edge, lock_timeout: 0,"
    catalog.write_text(catalog.read_text().replace(patient, hasty))
    project.upsert([post(1)])
    command = [sys.executable, "-c", HOLD, str(project.path / folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Exception, match=f"pid {holder.pid} "):
            project.run()
        holder.communicate()
    assert project.run()["documents"]["new"] == 1


AWKWARD = {
    "right to left": "שלום עולם. " * 30 + "مرحبا بالعالم.",
    "emoji": "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 " * 50,
    "combining": "e\u0301a\u0308" * 300,
    "no spaces": "x" * 20_000,
    "one token repeated": "tea " * 20_000,
    "line separators": "a\u2028b\u2029c\x0bd\x0ce " * 50,
    "NUL": "before\x00after",
    "only symbols": "∑∞⟂" * 100,
    "new lines": "\n" * 5_000 + "end",
}


def test_awkward_text_loses_nothing_else(project: SmallProject) -> None:
    documents = [article(n, text) for n, text in enumerate(AWKWARD.values(), start=100)]
    project.upsert([*documents, article(1)])
    report = project.run()
    assert report["documents"]["new"] == len(AWKWARD) + 1
    assert (report["coverage"], report["over_limit_chunks"]) == (1.0, 0)
    assert report["collections"]["cleaned_articles"] == len(AWKWARD) + 1


def test_rejected_documents_are_counted_by_reason(project: SmallProject) -> None:
    huge = article(1, "word " * 2_000_000)
    binary = article(
        2, "\x7fELF\x00\x01", kind="repository", path="a.out", link="https://example.org/r/a.out"
    )
    project.upsert([huge, binary, article(3, ""), article(4)])
    report = project.run()
    assert report["rejected"] == {"too_large": 1, "binary": 1, "empty": 1}
    assert report["collections"]["cleaned_articles"] == 1
