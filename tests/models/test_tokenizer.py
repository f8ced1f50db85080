"""The tokenizer counts the tokens that the model sees, and knows where each of them is."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodswarm.models.errors import ModelUnreadable
from moodswarm.models.tokenizer import FastTokenizer


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> FastTokenizer:
    return FastTokenizer(tiny_model, 64)


def pieces(tokenizer: FastTokenizer, text: str) -> list[str]:
    encoding = tokenizer.encode([text])[0]
    return [text[a:b] for a, b in zip(encoding.starts, encoding.ends, strict=True)]


def test_offsets_count_code_points(tokenizer: FastTokenizer) -> None:
    assert pieces(tokenizer, "Tea, 🙂 and Müsli") == [
        *["Tea", ",", "🙂", "and"],
        *["M", "ü", "s", "li"],
    ]


def test_offsets_are_integer_arrays(tokenizer: FastTokenizer) -> None:
    encoding = tokenizer.encode(["tea and bread"])[0]
    assert encoding.starts.dtype == encoding.ends.dtype == np.int64
    assert len(encoding) == 3


def test_special_tokens_are_left_out_and_known(tokenizer: FastTokenizer) -> None:
    assert tokenizer.special_tokens == 2
    assert len(tokenizer.ids(["tea"])[0]) == 3


def test_a_long_text_is_not_truncated(tokenizer: FastTokenizer) -> None:
    assert len(tokenizer.encode(["tea " * 500])[0]) == 500


def test_truncation_keeps_the_special_tokens(tokenizer: FastTokenizer) -> None:
    whole, cut = tokenizer.ids(["tea"])[0], tokenizer.ids(["tea " * 500], truncate=True)[0]
    assert len(cut) == tokenizer.max_tokens
    assert (cut[0], cut[-1]) == (whole[0], whole[-1])
    assert len(tokenizer.ids(["tea " * 500])[0]) == 502


def test_unknown_tokens_are_counted(tokenizer: FastTokenizer) -> None:
    assert [x.unknown for x in tokenizer.encode(["tea", "東京 tea", ""])] == [0, 2, 0]


def test_a_copy_in_another_process_is_the_same(tokenizer: FastTokenizer) -> None:
    copy: FastTokenizer = pickle.loads(pickle.dumps(tokenizer))
    assert copy.max_tokens == 64
    assert copy.ids(["the ferry strike"]) == tokenizer.ids(["the ferry strike"])


def test_threads_share_it(tokenizer: FastTokenizer) -> None:
    texts = [f"boats {number} and tides" for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: tokenizer.ids([text], truncate=True)[0], texts))
    assert found == tokenizer.ids(texts)


@given(text=st.text(max_size=200))
@settings(deadline=None, max_examples=100)
def test_tokens_are_in_order_and_inside_the_text(tokenizer: FastTokenizer, text: str) -> None:
    encoding = tokenizer.encode([text])[0]
    assert (np.diff(encoding.starts) >= 0).all()
    assert (encoding.starts <= encoding.ends).all()
    assert len(encoding) == 0 or encoding.ends[-1] <= len(text)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "is missing"), ("{}", "is not a tokenizer")]
)
def test_a_bad_file_is_named(content: str | None, message: str, tmp_path: Path) -> None:
    if content:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelUnreadable, match=rf"tokenizer\.json {message}"):
        FastTokenizer(tmp_path, 64)
