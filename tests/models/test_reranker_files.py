"""A cross-encoder is found and checked, unsafe ones are refused, and a silent hub is given up."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.tiny import build_tiny_checkpoint, write_json
from models.tiny_cross_encoder import build_tiny_cross_encoder
from moodswarm.models import files
from moodswarm.models.errors import ModelNotFound, ModelUnreadable
from moodswarm.models.reranker_files import find_cross_encoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_tiny_cross_encoder(tmp_path / "model")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, with the hub switched off."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def in_cache(cache: Path) -> Path:
    """Make the folder of `someone/model` in the cache."""
    found = cache / "models--someone--model"
    (found / "refs").mkdir(parents=True)
    (found / "refs" / "main").write_text("abc")
    (found / "snapshots" / "abc").mkdir(parents=True)
    return found / "snapshots" / "abc"


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A hub that accepts connections but never answers, like a network that drops packets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        hub = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub)
        yield hub


def test_a_folder_is_a_model(folder: Path) -> None:
    assert find_cross_encoder(str(folder)).path == folder.resolve()


def test_a_path_that_is_not_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nowhere.*folder of a cross-encoder"):
        find_cross_encoder(str(tmp_path / "nowhere"))


def test_a_name_in_the_cache_needs_no_network(cache: Path) -> None:
    build_tiny_cross_encoder(in_cache(cache))
    assert find_cross_encoder("someone/model").path.name == "abc"


def test_a_name_that_is_not_cached_says_how_to_get_it(cache: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"someone/model.*HF_HUB_OFFLINE.*hf download someone"):
        find_cross_encoder("someone/model")


def test_a_name_the_hub_cannot_have_is_refused(cache: Path) -> None:
    with pytest.raises(ModelNotFound, match="Repo id must"):
        find_cross_encoder("no such name!")


@pytest.mark.parametrize("broken_off", [False, True])
def test_a_hub_that_does_not_answer_is_not_waited_for(
    cache: Path, silent_hub: str, monkeypatch: pytest.MonkeyPatch, broken_off: bool
) -> None:
    monkeypatch.setattr(files, "_PROBE_SECONDS", 0.1)
    if broken_off:
        (in_cache(cache) / "config.json").write_text("{}")
    with pytest.raises(ModelNotFound, match=r"could not be fetched: .*timed out.*hf download"):
        find_cross_encoder("someone/model")


def test_identity_depends_on_the_files_and_not_on_their_place(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "README.md").write_text("a copy")
    assert find_cross_encoder(str(copy)).identity == find_cross_encoder(str(folder)).identity


@pytest.mark.parametrize("change", ["model.safetensors", "tokenizer.json", "config.json"])
def test_identity_changes_with(change: str, folder: Path, tmp_path: Path) -> None:
    before = find_cross_encoder(str(folder)).identity
    other = build_tiny_cross_encoder(tmp_path / "other", 32, seed=1)
    if change == "tokenizer.json":
        text = (folder / change).read_text()
        (folder / change).write_text(text.replace('"ferry"', '"wharf"'))
    else:
        shutil.copy(other / change, folder / change)
    assert find_cross_encoder(str(folder)).identity != before


def test_an_embedding_model_is_refused(tmp_path: Path) -> None:
    path = build_tiny_checkpoint(tmp_path)
    with pytest.raises(ModelUnreadable, match="holds a SentenceTransformer, not a cross-encoder"):
        find_cross_encoder(str(path))


def test_a_model_without_a_head_is_refused(tmp_path: Path) -> None:
    path = build_tiny_cross_encoder(tmp_path, architectures=["BertModel"])
    with pytest.raises(ModelUnreadable, match="holds a BertModel, not a cross-encoder"):
        find_cross_encoder(str(path))


def test_a_missing_configuration_is_named(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(ModelUnreadable, match=r"config\.json is missing"):
        find_cross_encoder(str(folder))


@pytest.mark.parametrize("text", ["[]", '{"architectures": 3}', "{"])
def test_a_configuration_of_another_shape_is_named(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelUnreadable, match=r"config\.json"):
        find_cross_encoder(str(folder))


@pytest.mark.parametrize("text", ['{"a": 1}', "[1]", '[{"path": "../.."}]', '[{"path": "/etc"}]'])
def test_a_list_of_modules_of_another_shape_is_named(folder: Path, text: str) -> None:
    write_json(folder / "config_sentence_transformers.json", {"model_type": "CrossEncoder"})
    (folder / "modules.json").write_text(text)
    with pytest.raises(ModelUnreadable, match=r"modules\.json"):
        find_cross_encoder(str(folder))


def test_weights_that_can_contain_code_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelUnreadable, match=r"no model\.safetensors.*can contain code"):
        find_cross_encoder(str(folder))


@pytest.mark.parametrize("size", [0, 4, 100, 20_000])
def test_weights_that_were_cut_short_are_refused(size: int, folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(
        ModelUnreadable, match=r"model\.safetensors is not a complete safetensors file"
    ):
        find_cross_encoder(str(folder))


def test_neither_finding_nor_making_one_imports_torch(folder: Path) -> None:
    code = (
        "import sys\nfrom moodswarm.models.reranker import Reranker\n"
        f"assert Reranker({str(folder)!r}).identity\n"
        "print([name for name in ('torch', 'transformers', 'sentence_transformers') "
        "if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert found == "[]\n"
