"""A reranker's scores are right, and threads can share it.

Importing sentence-transformers takes some ten CPU-seconds, so all of these tests are slow.
"""

import json
import logging
import pickle
import shutil
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.tiny import VOCABULARY, write_json
from models.tiny_cross_encoder import build_tiny_cross_encoder
from moodswarm.models import cross_encoder, reranker
from moodswarm.models.errors import ModelError, ModelNotFound, ModelUnreadable
from moodswarm.models.reranker import Reranker, ScoreNotFinite

pytestmark = pytest.mark.slow

QUERY = "ferry strike"
TEXTS = [
    "bread water stone",
    "ferry strike",
    "the ferry and a house",
    "",
    "ferry strike of the morning",
    "東京",
    "tide boats harbour " * 12,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Reranker:
    return Reranker(str(folder))


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    """A copy of the model for a test to break."""
    return shutil.copytree(folder, tmp_path / "broken")


# --- scores ---


def test_a_model_that_fails_on_a_text_is_named(broken: Path) -> None:
    tokenizer = json.loads((broken / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["zebra"] = 10_000  # The model has no embedding for this id.
    write_json(broken / "tokenizer.json", tokenizer)
    reranker = Reranker(str(broken))
    with pytest.raises(
        ModelError, match=r"broken failed to score 1 pairs: index out of range.*If memory is short"
    ):
        reranker.score(QUERY, ["zebra"])
    assert np.isfinite(reranker.score(QUERY, ["ferry"])).all()


def test_a_text_scores_higher_the_more_of_the_question_it_contains(tiny: Reranker) -> None:
    texts = ["ferry strike", "ferry strike of morning", "ferry tide of morning", "tide of morning"]
    scores = tiny.score(QUERY, texts)
    assert scores.tolist() == sorted(scores, reverse=True)
    assert len(set(scores.tolist())) == len(texts)


def test_scores_are_float32_in_the_order_of_the_texts(tiny: Reranker) -> None:
    scores = tiny.score(QUERY, TEXTS)
    backwards = tiny.score(QUERY, TEXTS[::-1])
    assert (scores.dtype, scores.shape) == (np.float32, (len(TEXTS),))
    assert scores.argmax() == 1
    np.testing.assert_allclose(scores, backwards[::-1], atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_a_score_does_not_depend_on_what_else_is_in_the_batch(
    folder: Path, tiny: Reranker, batch_size: int
) -> None:
    alone = [tiny.score(QUERY, [text])[0] for text in TEXTS]
    together = Reranker(str(folder), batch_size=batch_size).score(QUERY, TEXTS)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_scores_are_the_logits_of_sentence_transformers(folder: Path, tiny: Reranker) -> None:
    from sentence_transformers import CrossEncoder

    pairs = [(QUERY, text) for text in TEXTS]
    expected = CrossEncoder(str(folder), device="cpu").predict(pairs, show_progress_bar=False)
    np.testing.assert_allclose(1 / (1 + np.exp(-tiny.score(QUERY, TEXTS))), expected, atol=1e-5)


def test_without_texts_there_are_no_scores_and_nothing_is_loaded() -> None:
    assert Reranker("no such name!").score(QUERY, []).shape == (0,)


def test_an_empty_question_is_scored(tiny: Reranker) -> None:
    assert np.isfinite(tiny.score("", TEXTS)).all()


def test_half_precision_weights_are_scored_in_full(folder: Path, broken: Path) -> None:
    config = (broken / "config.json").read_text()
    (broken / "config.json").write_text(config.replace("{", '{"dtype": "bfloat16", ', 1))
    assert str(Reranker(str(broken))._load()._model.dtype) == "torch.float32"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_refused(broken: Path, value: float) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(broken / "model.safetensors")
    weights["bert.embeddings.word_embeddings.weight"][VOCABULARY.index("boats")] = value
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ScoreNotFinite, match=r"broken returned NaN or infinity for text 1. Check its"
    ):
        Reranker(str(broken)).score(QUERY, ["ferry", "boats", "boats"])


# --- texts that are too long ---


def test_a_passage_at_the_end_of_a_long_text_is_found(tiny: Reranker) -> None:
    plain, hidden = "tide " * 200, "tide " * 160 + "ferry strike " * 20
    without, found = tiny.score(QUERY, [plain, hidden])
    assert found > without + 1


def test_the_best_window_of_a_long_text_counts(folder: Path) -> None:
    small = Reranker(str(folder), max_tokens=15)  # 10 of these tokens are for the text
    with_rest = small.score(QUERY, ["tide " * 40 + "ferry " * 10])
    np.testing.assert_allclose(with_rest, small.score(QUERY, ["ferry " * 10]), atol=1e-5)


def test_windows_of_one_text_do_not_move_the_others(tiny: Reranker) -> None:
    scores = tiny.score(QUERY, ["tide " * 200, "ferry strike", "tide " * 300, "bread"])
    np.testing.assert_allclose(
        scores[[1, 3]], tiny.score(QUERY, ["ferry strike", "bread"]), atol=1e-5
    )


@pytest.mark.parametrize(("tokens", "room"), [(11, 10), (20, 10), (100, 7), (5, 1), (1000, 59)])
def test_windows_cover_every_token_and_overlap(tokens: int, room: int) -> None:
    cuts = list(cross_encoder._cuts(tokens, room))
    assert (cuts[0][0], cuts[-1][1]) == (0, tokens)
    assert {end - start for start, end in cuts} == {room}
    assert all(after[0] <= before[1] for before, after in pairwise(cuts))


def test_long_texts_are_logged_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    fresh = Reranker(str(folder))
    with caplog.at_level(logging.WARNING, "moodswarm"):
        for _ in range(2):
            fresh.score("ferry " * 100, ["tide " * 200, "tide " * 300])
    question, text = (message.partition(": ")[2] for message in caplog.messages)
    assert question == "a question has 100 tokens; only the first 30 are read"
    assert text.startswith("a text has 200 tokens, but only 31 fit beside the question; it is")


def test_a_long_question_leaves_half_of_the_room_to_the_text(tiny: Reranker) -> None:
    match, other = tiny.score("ferry " * 20_000, ["ferry strike", "bread strike"])
    assert match > other


@pytest.mark.parametrize("max_tokens", [1, 4])
def test_a_limit_without_room_for_a_pair_is_refused(folder: Path, max_tokens: int) -> None:
    with pytest.raises(ValueError, match=f"max_tokens is {max_tokens}, .*Use at least 5"):
        Reranker(str(folder), max_tokens=max_tokens).score(QUERY, TEXTS)


def test_the_limit_is_at_most_that_of_the_model(folder: Path) -> None:
    assert Reranker(str(folder), max_tokens=9_999)._load()._limit == 64


# --- sharing a reranker ---


def test_threads_share_one_load_and_get_their_own_scores(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []
    load = cross_encoder._load

    def counted(path: Path, device: str) -> object:
        loads.append(path)
        return load(path, device)

    monkeypatch.setattr(cross_encoder, "_load", counted)
    shared, found = Reranker(str(folder)), {}

    def score(number: int) -> None:
        found[number] = shared.score(VOCABULARY[-number], TEXTS[: number + 1])

    threads = [threading.Thread(target=score, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    for number, scores in found.items():
        expected = shared.score(VOCABULARY[-number], TEXTS[: number + 1])
        np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_loaded_reranker_is_pickled_as_its_arguments(tiny: Reranker) -> None:
    scores = tiny.score(QUERY, TEXTS)
    data = pickle.dumps(tiny)
    assert len(data) < 1000
    copy = pickle.loads(data)
    np.testing.assert_array_equal(copy.score(QUERY, TEXTS), scores)
    assert (copy.name, copy.identity, repr(copy)) == (tiny.name, tiny.identity, repr(tiny))


@pytest.mark.parametrize("argument", ["batch_size", "max_tokens"])
def test_an_argument_out_of_range_is_named(argument: str) -> None:
    with pytest.raises(ValueError, match=f"{argument} is 0; expected at least 1"):
        Reranker("any", **{argument: 0})


# --- models that cannot be used ---


def test_a_model_with_several_labels_is_refused(tmp_path: Path) -> None:
    labels = {"0": "no", "1": "maybe", "2": "yes"}
    path = build_tiny_cross_encoder(tmp_path, id2label=labels, label2id={})
    with pytest.raises(ModelUnreadable, match="returns 3 labels for a pair|cannot be loaded"):
        Reranker(str(path)).score(QUERY, TEXTS)


def test_a_model_of_an_unknown_type_is_named(broken: Path) -> None:
    names = {"model_type": "no_such_model", "architectures": ["NoForSequenceClassification"]}
    write_json(broken / "config.json", names)
    with pytest.raises(ModelUnreadable, match="broken cannot be loaded by sentence-transformers"):
        Reranker(str(broken)).score(QUERY, TEXTS)


def test_code_of_a_checkpoint_is_not_run(broken: Path, tmp_path: Path) -> None:
    marker = tmp_path / "was-run"
    (broken / "hostile.py").write_text(f"open({str(marker)!r}, 'w')\nclass Model: pass\n")
    config = (broken / "config.json").read_text()
    remote = '{"auto_map": {"AutoModelForSequenceClassification": "hostile.Model"}, '
    (broken / "config.json").write_text(config.replace("{", remote, 1))
    write_json(broken / "config_sentence_transformers.json", {"model_type": "CrossEncoder"})
    write_json(
        broken / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": "hostile.Model"}]
    )
    with pytest.raises(ModelUnreadable, match="cannot be loaded"):
        Reranker(str(broken)).score(QUERY, TEXTS)
    assert not marker.exists()


def test_a_function_that_a_checkpoint_names_is_not_called(broken: Path) -> None:
    config = (broken / "config.json").read_text()
    named = '{"sentence_transformers": {"activation_fn": "torch.seed"}, '
    (broken / "config.json").write_text(config.replace("{", named, 1))
    assert np.isfinite(Reranker(str(broken)).score(QUERY, TEXTS)).all()


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect the names of the models that are looked for; none of them is found."""
    asked: list[str] = []

    def find(model: str) -> None:
        asked.append(model)
        raise ModelNotFound(f"no {model}")

    monkeypatch.setattr(reranker, "find_cross_encoder", find)
    return asked


def test_a_missing_model_is_not_looked_for_with_every_question(searches: list[str]) -> None:
    missing = Reranker("someone/model")
    for _ in range(3):
        with pytest.raises(ModelNotFound, match="no someone/model"):
            missing.score(QUERY, TEXTS)
    assert searches == ["someone/model"]


def test_a_missing_model_is_looked_for_again_later(
    searches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reranker, "_RETRY_SECONDS", 0.0)
    missing = Reranker("someone/model")
    for _ in range(2):
        with pytest.raises(ModelNotFound, match="no someone/model"):
            missing.score(QUERY, TEXTS)
    assert len(searches) == 2
